/** Views of the calendar. */
export const calendarViews = ["day", "week", "month", "quarter"] as const;
export type CalendarView = (typeof calendarViews)[number];
