// Text of others, made harmless to read: characters that nobody sees, and those that change the order of others, are shown as
// their number, as the command does.

const HIDDEN = /[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Cs}\p{Zl}\p{Zp}]/gu;

const escaped = (character) => `\\u{${character.codePointAt(0).toString(16)}}`;

/** The text on one line. */
export const visible = (text) => String(text).replace(HIDDEN, escaped);

/** The text with its own line ends. */
export const visibleLines = (text) => String(text).split("\n").map(visible).join("\n");

/** Places of such characters in a text that people edit, as "line 3: \u{202e}". Tabs and line ends are ordinary there. */
export function hiddenPlaces(text, most = 3) {
  const found = [];
  text.split("\n").forEach((line, at) => {
    for (const [character] of line.replaceAll("\t", " ").matchAll(HIDDEN)) {
      found.push(`line ${at + 1}: ${escaped(character)}`);
    }
  });
  const more = found.length - most;
  return more > 0 ? [...found.slice(0, most), `${more} more`] : found;
}
