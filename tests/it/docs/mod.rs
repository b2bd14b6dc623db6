//! What users read of the provider, in their editor and on its pages.

mod descriptions;
mod source;
