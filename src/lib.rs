//! A Terraform provider for HeyGen's webhook endpoints, in four rooms.

pub mod heygen;
pub mod plugin;
pub mod provider;
pub mod terraform;
