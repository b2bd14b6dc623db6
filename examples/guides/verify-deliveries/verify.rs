//! With the crates `hmac` 0.13 and `sha2` 0.11.

use std::time::SystemTime;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// Whether one of the secrets signed these bytes, and HeyGen sent them within the last five minutes.
pub fn verified(secrets: &[&str], body: &[u8], signature: &str, timestamp: &str) -> bool {
    let (Some(signature), Ok(sent_at)) = (bytes_of_hex(signature), timestamp.parse::<u64>()) else {
        return false;
    };
    let matches = secrets.iter().filter(|secret| signed(secret, body, &signature)).count();
    let now = SystemTime::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_secs());
    matches > 0 && now.abs_diff(sent_at) <= 300
}

/// Compares in constant time.
fn signed(secret: &str, body: &[u8], signature: &[u8]) -> bool {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(body);
    mac.verify_slice(signature).is_ok()
}

fn bytes_of_hex(hex: &str) -> Option<Vec<u8>> {
    let pairs = (0..hex.len()).step_by(2).map(|at| hex.get(at..at + 2));
    pairs.map(|pair| u8::from_str_radix(pair?, 16).ok()).collect()
}
