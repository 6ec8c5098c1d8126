// Until it is killed: puts a link in a folder's place and back, and moves a folder out of its parent and back.
//   node swapper.js PLACE ASIDE LINK    exchanges what is at PLACE and LINK, through ASIDE
//   node swapper.js PLACE ASIDE         moves PLACE to ASIDE and back

import { renameSync } from "node:fs";

const [place = "", aside = "", link] = process.argv.slice(2);
for (;;) {
  renameSync(place, aside);
  if (link !== undefined) {
    renameSync(link, place);
    renameSync(place, link);
  }
  renameSync(aside, place);
}
