// What has been answered so far, and how it is sent. The server judges it; a number goes there as it was typed.

import { current } from "../code/texts.js";

const STEP_OF = { inverters: "inverters", meter: "meter", export_limit: "limits", import_limit: "limits", soc_min: "limits", name: "site", timezone: "site", target: "find" };
const NONE = "none";

/** The meter that is chosen: the key of one that was found, or one of these. */
export const TYPED = "typed";

export const newDraft = () => ({
  target: null,
  inverters: {}, // by key: {chosen, name, rating, capacity}
  meter: null,
  address: "",
  driver: "sunspec",
  watts: null,
  doing: "auto",
  export_limit: "0",
  import_limit: "",
  soc_min: "10",
  batteries: true,
  name: "home",
  timezone: null,
  shadow: true,
});

/** The answers about one inverter, as proposed where nobody has changed them. */
export function inverterDraft(draft, device) {
  draft.inverters[device.key] ??= { chosen: true, name: device.name, rating: "", capacity: "" };
  return draft.inverters[device.key];
}

export const chosenOf = (draft, state) => state.inverters.filter((each) => inverterDraft(draft, each).chosen);
export const hasBattery = (draft, state) => chosenOf(draft, state).some((each) => each.has_battery);

const amount = (text, unit) => (String(text).trim() === "" ? NONE : `${text} ${unit}`);

/** That of the machine; where it is only UTC, that of the browser, which is where people are. */
export function timezoneOf(draft, state) {
  draft.timezone ??= /UTC/.test(state.timezone) ? Intl.DateTimeFormat().resolvedOptions().timeZone : state.timezone;
  return draft.timezone;
}

function signOf({ watts, doing }) {
  if (doing === "auto" || !Math.round(watts ?? 0)) return "auto";
  return (watts > 0) === (doing === "draw") ? "import_positive" : "export_positive";
}

/** The meter as it is sent; null where it is not known yet. */
export function meterOf(draft) {
  if (draft.meter === NONE || draft.meter === null) return null;
  const sign = signOf(draft);
  return draft.meter === TYPED ? { address: draft.address, driver: draft.driver, sign } : { device: draft.meter, sign };
}

export function answersOf(draft, state) {
  const battery = hasBattery(draft, state);
  return {
    inverters: chosenOf(draft, state).map((device) => {
      const { name, rating, capacity } = inverterDraft(draft, device);
      return { device: device.key, name, rating: amount(rating, "kW"), capacity: amount(capacity, "kWh") };
    }),
    meter: meterOf(draft),
    name: draft.name,
    timezone: timezoneOf(draft, state),
    export_limit: amount(draft.export_limit, "kW"),
    import_limit: amount(draft.import_limit, "kW"),
    soc_min: battery ? amount(draft.soc_min, "%") : NONE,
    batteries: battery && draft.batteries,
    shadow: draft.shadow,
    language: current(),
  };
}

/** The step in which a field is asked. */
export const stepOf = (field) => STEP_OF[field.split(".")[0]] ?? "file";
