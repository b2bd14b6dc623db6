//! The Terraform plugin protocol.

pub mod proto;
