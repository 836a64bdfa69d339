import { isIP, SocketAddress } from "node:net";

/** An address without the port, brackets and zone that some proxies leave in a forwarded one; undefined for what is none. */
export function plainAddress(ip: string): string | undefined {
  const plain = ip
    .trim()
    .replace(/^(\d+\.\d+\.\d+\.\d+):\d*$/, "$1")
    .replace(/^\[(.+)\](:\d*)?$/, "$1")
    .replace(/%.*$/, "");
  return isIP(plain) === 0 ? undefined : plain;
}

/** The one way to write an address: without IPv6 around an IPv4 address, and without choices of how to write IPv6. */
function canonical(ip: string): string | undefined {
  const plain = plainAddress(ip);
  if (plain === undefined || isIP(plain) === 4) return plain;
  return new SocketAddress({ address: plain, family: "ipv6" }).address.replace(/^::ffff:(?=\d+\.)/, "");
}

/** Both are addresses, and the same one, however each is written. */
export function isSameAddress(one: string, other: string): boolean {
  const [left, right] = [canonical(one), canonical(other)];
  return left !== undefined && left === right;
}
