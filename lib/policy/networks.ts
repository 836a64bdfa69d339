import { BlockList, isIP } from "node:net";

function addRange(networks: BlockList, range: unknown): boolean {
  if (typeof range !== "string") return false;
  const [, address = "", bits] = /^([^/]+)\/([0-9]{1,3})$/.exec(range) ?? [];
  const [version, prefix] = [isIP(address), Number(bits)];
  if (version === 0 || prefix > (version === 4 ? 32 : 128)) return false;
  networks.addSubnet(address, prefix, version === 4 ? "ipv4" : "ipv6");
  return true;
}

/** Whether an address lies in any of these CIDR ranges. */
export function withinNetworks(ranges: readonly string[]): (ip: string | undefined) => boolean {
  const networks = new BlockList();
  for (const range of ranges) addRange(networks, range);
  return (ip = "") => {
    const version = isIP(ip);
    return version !== 0 && networks.check(ip, version === 4 ? "ipv4" : "ipv6");
  };
}

/** What is wrong with a list of ranges, each with its mend. */
export function networkProblems(ranges: readonly unknown[]): string[] {
  return ranges
    .filter((range) => !addRange(new BlockList(), range))
    .map((range) => `policy.trustedNetworks: "${String(range)}" is not a CIDR range such as 10.0.0.0/8`);
}
