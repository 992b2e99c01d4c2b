mod litigation;
mod others;
mod pages;
mod portable;
mod redacted;
mod world;
