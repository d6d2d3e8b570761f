/** Pages that follow the server and have buttons. */

import "./actions.js";
import { follow } from "./refresh.js";

const log = document.querySelector("[data-follow-end]");
if (log) log.scrollTop = log.scrollHeight;
follow();
