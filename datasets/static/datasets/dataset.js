/** The page of a dataset. */

import "./process.js";
import { QueryBox } from "./query.js";

const section = document.querySelector("[data-query]");
if (section) new QueryBox(section);
