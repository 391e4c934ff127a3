/** A label's centre on the screen and its size, in pixels. */
export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

const GAP = 3;
const RINGS = [0, 1, 2, 3];
const DIRECTIONS: [number, number][] = [[0, -1], [0, 1], [1, 0], [-1, 0], [1, -1], [-1, -1], [1, 1], [-1, 1]];

/**
 * How far to move each box so that none covers another, nor what is `taken` already. The first boxes
 * are the important ones and stay; a later one takes the nearest free place around its own, and its
 * own if all are taken.
 */
export function spread(boxes: Box[], taken: Box[] = []): [number, number][] {
  const placed = [...taken];
  return boxes.map((box) => {
    const offset = candidates(box).find((move) => !placed.some((other) => overlap(moved(box, move), other)));
    placed.push(moved(box, offset ?? [0, 0]));
    return offset ?? [0, 0];
  });
}

function candidates(box: Box): [number, number][] {
  return RINGS.flatMap((ring) =>
    ring === 0
      ? [[0, 0] as [number, number]]
      : DIRECTIONS.map(([right, down]): [number, number] => [
          right * ring * (box.width / 2 + GAP),
          down * ring * (box.height + GAP),
        ]),
  );
}

const moved = (box: Box, [right, down]: [number, number]): Box => ({ ...box, x: box.x + right, y: box.y + down });

function overlap(one: Box, other: Box): boolean {
  return (
    Math.abs(one.x - other.x) < (one.width + other.width) / 2 + GAP - 1 &&
    Math.abs(one.y - other.y) < (one.height + other.height) / 2 + GAP - 1
  );
}
