import { isIPv6, SocketAddress } from "node:net";

const GROUPS = 8;
/** Of an IPv6 address: what is behind is chosen by the client itself, a new one every day (RFC 8981). */
const NETWORK_GROUPS = 4;

function groupsOf(text: string): readonly string[] {
  return text === "" ? [] : text.split(":");
}

/** Where an address is, in one way to write it: of IPv6 its first 64 bits, any other as it is. */
export function networkOf(ip: string): string {
  const plain = ip.replace(/%.*$/, "");
  if (!isIPv6(plain)) return plain;
  const { address } = new SocketAddress({ address: plain, family: "ipv6" });
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(address);
  if (mapped?.[1] !== undefined) return mapped[1];
  const [left = "", right] = address.split("::");
  const [before, after] = [groupsOf(left), groupsOf(right ?? "")];
  const between = right === undefined ? 0 : Math.max(0, GROUPS - before.length - after.length);
  return [...before, ...Array<string>(between).fill("0"), ...after].slice(0, NETWORK_GROUPS).join(":");
}
