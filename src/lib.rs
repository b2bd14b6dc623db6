//! A Terraform provider for HeyGen's webhook endpoints.
//!
//! [`plugin`], [`terraform`] and [`heygen`] know nothing of each other: the host's contract, Terraform's protocol, and
//! HeyGen's API. [`provider`] joins the last two.

pub mod heygen;
pub mod plugin;
pub mod provider;
pub mod terraform;
