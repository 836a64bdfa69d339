import jsqr from "jsqr";

type Decode = (pixels: Uint8ClampedArray, width: number, height: number) => { readonly data: string } | null;

// The package is CommonJS with a member called `default`, which Node hands on as it is.
const decode = (jsqr as unknown as { readonly default: Decode }).default;

const MODULE = /M(\d+),(\d+)h(\d+)v(\d+)h-\3z/g;

/** What a camera reads off a QR code drawn in SVG: a white square with black ones in it. */
export function readQr(svg: string): string | undefined {
  const [, width = "", height = ""] = /viewBox="0 0 (\d+) (\d+)"/.exec(svg) ?? [];
  const [columns, rows] = [Number(width), Number(height)];
  const pixels = new Uint8ClampedArray(columns * rows * 4).fill(255);
  for (const [, left, top, wide, high] of svg.matchAll(MODULE)) {
    for (let y = Number(top); y < Number(top) + Number(high); y += 1) {
      const start = (y * columns + Number(left)) * 4;
      for (let byte = 0; byte < Number(wide) * 4; byte += 4) pixels.fill(0, start + byte, start + byte + 3);
    }
  }
  return decode(pixels, columns, rows)?.data;
}
