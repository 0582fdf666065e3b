const rooms = import.meta.glob<{ readonly [id: string]: string }>("./en/*.json", { eager: true, import: "default" });

export default Object.assign({}, ...Object.values(rooms)) as { readonly [id: string]: string };
