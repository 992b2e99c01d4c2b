mod litigation;
mod others;
mod portable;
mod world;
