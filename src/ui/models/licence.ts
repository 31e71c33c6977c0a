/** How a licence is known to people: `CC BY 4.0` for the identifier `CC-BY-4.0`. */
export const licenceName = (spdx: string): string =>
  spdx.startsWith('CC-BY') ? spdx.replace(/-/g, ' ').replace(/BY (?=[A-Z])/, 'BY-') : spdx;
