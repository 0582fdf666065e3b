import type app from "./en/app.json";
import type now from "./en/now.json";
import type windows from "./en/windows.json";

/** Each room has a file of messages in each language; its ids are known to the compiler from here. */
declare global {
  namespace FormatjsIntl {
    interface Message {
      ids: keyof typeof app | keyof typeof now | keyof typeof windows;
    }
  }
}
