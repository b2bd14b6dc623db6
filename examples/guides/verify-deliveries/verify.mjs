// verify.mjs SIGNATURE TIMESTAMP < BODY, with the secrets in HEYGEN_WEBHOOK_SECRET
import { createHmac, timingSafeEqual } from "node:crypto";
import { readFileSync } from "node:fs";

// Whether one of the secrets signed these bytes, and HeyGen sent them within the last five minutes.
export function verified(secrets, body, signature, timestamp) {
  if (!/^[0-9]{1,15}$/.test(timestamp)) {
    return false;
  }
  const given = Buffer.from(signature.toLowerCase());
  const matches = secrets.map((secret) => {
    const expected = Buffer.from(createHmac("sha256", secret).update(body).digest("hex"));
    return expected.length === given.length && timingSafeEqual(expected, given);
  });
  return matches.includes(true) && Math.abs(Date.now() / 1000 - Number(timestamp)) <= 300;
}

const [signature, timestamp] = process.argv.slice(2);
const secrets = process.env.HEYGEN_WEBHOOK_SECRET.split(/\s+/).filter(Boolean);
const believed = verified(secrets, readFileSync(0), signature, timestamp);
console.log(believed ? "verified" : "refused");
process.exitCode = believed ? 0 : 1;
