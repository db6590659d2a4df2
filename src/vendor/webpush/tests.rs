//! What a browser gets, literally.

mod endpoints;
