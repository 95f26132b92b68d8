/** Turns a title into what can stand in a URL: lower case, words joined by hyphens, accents dropped. */
export function slug(title) {
  return title
    .normalize('NFD')
    .replace(/\p{Diacritic}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
}
