// Whole numbers modulo another, as far as public keys are checked by them. Nothing here is secret, so nothing takes constant time.

/** Big-endian, as COSE writes them. */
export function numberOf(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).toString("hex") || "0"}`);
}

/** From 0 to below the modulus, for negative numbers too. */
export function mod(number: bigint, modulus: bigint): bigint {
  return ((number % modulus) + modulus) % modulus;
}

export function powerMod(base: bigint, exponent: bigint, modulus: bigint): bigint {
  // From the first bit on: to double costs nothing beside squaring.
  const start = mod(base, modulus);
  let result = 1n;
  for (const bit of exponent.toString(2)) {
    result = (result * result) % modulus;
    if (bit === "1") result = (result * start) % modulus;
  }
  return result;
}

export function greatestCommonDivisor(left: bigint, right: bigint): bigint {
  let [a, b] = [left, right];
  while (b > 0n) [a, b] = [b, a % b];
  return a;
}
