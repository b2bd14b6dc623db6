//! The generated messages and services of `proto/go-plugin.proto`.
#![allow(missing_docs, unreachable_pub, clippy::pedantic, reason = "generated code")]

tonic::include_proto!("plugin");
