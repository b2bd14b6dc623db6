#!/bin/sh
# verify.sh SIGNATURE TIMESTAMP < BODY, with the endpoint's secret in HEYGEN_WEBHOOK_SECRET
set -eu
signature=$1 timestamp=$2

refuse() {
  echo "refused: $1" >&2
  exit 1
}

# Only digits are let into the arithmetic: it would evaluate whatever else is sent.
case $timestamp in
'' | *[!0-9]*) refuse "no timestamp" ;;
esac
age=$(($(date +%s) - timestamp))
if [ "$age" -gt 300 ] || [ "$age" -lt -300 ]; then
  refuse "too old, or from the future"
fi

expected=$(openssl dgst -sha256 -hmac "$HEYGEN_WEBHOOK_SECRET" | sed 's/^.* //')
if [ "$signature" != "$expected" ]; then
  refuse "wrong signature"
fi
echo verified
