//! The whole proxy in process: raw bytes in, a scripted upstream behind.

mod admin;
mod calls;
mod harness;
mod order;
mod streams;
