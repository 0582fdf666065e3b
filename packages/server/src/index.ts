export { createApp, type App, type AppOptions } from "./app.js";
export { readConfig, type Config } from "./config.js";
