#!/usr/bin/env node
import { runCommand } from "./commands.js";

// Exits by itself: the application's module may have opened connections that nobody closes.
void runCommand(process.argv.slice(2)).then((code) => process.exit(code));
