mod litigation;
mod others;
mod portable;
mod redacted;
mod world;
