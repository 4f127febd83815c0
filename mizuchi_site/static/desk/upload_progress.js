// Keeps the progress of one upload up to date; when it is over, the page is another.

import {every, read} from "./refreshing.js";
import {show} from "./upload_flight.js";

const node = document.querySelector(".flight");
const address = node.closest("[data-address]").dataset.address;

every(2000, async () => {
  let upload;
  try {
    upload = await read(address);
  } catch {
    return true; // the next time, perhaps
  }
  if (upload.progress) {
    show(node, upload.progress);
    return true;
  }
  location.reload();
  return false;
});
