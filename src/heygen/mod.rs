//! heygen
