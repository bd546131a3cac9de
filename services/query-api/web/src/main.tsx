// The page begins here.

import { render } from "preact";
import { App } from "./page/app";
import "./page.css";

const root = document.getElementById("app");
if (root) render(<App />, root);
