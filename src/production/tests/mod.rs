mod litigation;
mod portable;
mod world;
