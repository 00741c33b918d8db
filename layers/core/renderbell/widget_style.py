"""How the widget looks: light and dark, one column and two. All names begin with `rb`: the console has styles of its own."""

from typing import Final

LIGHT: Final = (
    "--text:#16191f;--dim:#5c6774;--line:#e3e6ea;--card:#ffffff;--back:#f6f7f9;--link:#0861b5;"
    "--cyan:#0e7490;--yellow:#8a5a00;--green:#12703a;--red:#b3182b;--grey:#5c6774;--magenta:#97188f;"
    "--bar:#d99a06;--soft:14%"
)
DARK: Final = (
    "--text:#e6e9ed;--dim:#98a5b5;--line:#2b394a;--card:#16212e;--back:#101923;--link:#6cb4f5;"
    "--cyan:#4bd4ec;--yellow:#f4c542;--green:#57d68d;--red:#ff8080;--grey:#98a5b5;--magenta:#ee8be6;"
    "--bar:#f0b323;--soft:18%"
)

MODES: Final = f".rb{{{LIGHT}}}.rb-dark{{{DARK}}}@media(prefers-color-scheme:dark){{.rb-auto{{{DARK}}}}}"
STYLE: Final = (
    MODES
    + """
.rb,.rb *{box-sizing:border-box}
.rb{container-type:inline-size;color:var(--text);
font:14px/1.45 "Amazon Ember","Open Sans",system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;
overflow-wrap:anywhere;padding:2px;font-variant-numeric:tabular-nums;text-align:left}
.rb a{color:var(--link);text-decoration:none}.rb a:hover{text-decoration:underline}
.rb code{font:12px/1.5 ui-monospace,Menlo,Consolas,"DejaVu Sans Mono",monospace;background:var(--back);color:var(--text);
border:1px solid var(--line);border-radius:5px;padding:1px 6px}
.rb-tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,158px),1fr));gap:10px;margin-bottom:12px}
.rb-tile,.rb-box{background:var(--card);border:1px solid var(--line);border-radius:12px;min-width:0}
.rb-tile{padding:10px 14px 11px;border-top:3px solid var(--tone,var(--line))}
.rb-tile b{display:block;font-size:22px;line-height:1.25;font-weight:700;letter-spacing:-.01em}
.rb-tile small{display:block;color:var(--dim);font-size:12px;white-space:nowrap;overflow:hidden;text-overflow:ellipsis}
.rb-tile .rb-cap{text-transform:none;font-weight:600;font-size:12px;color:var(--dim);display:block}
.rb-cols{display:grid;grid-template-columns:repeat(auto-fit,minmax(max(min(100%,430px),calc(50% - 6px)),1fr));gap:12px;
align-items:start}
.rb-cols>div{display:grid;gap:12px;min-width:0}
.rb-box{overflow:hidden}
.rb-box h3{margin:0;padding:11px 14px 8px;font-size:14px;line-height:1.4;font-weight:700;color:var(--text);display:flex;gap:8px;
justify-content:space-between;align-items:baseline}
.rb-box h3 span{font-weight:400;font-size:12px;color:var(--dim)}
.rb-row{display:grid;grid-template-columns:72px minmax(0,1fr) minmax(76px,auto);gap:2px 12px;padding:9px 14px;
border-top:1px solid var(--line);align-items:center}
.rb-b{min-width:0}
.rb-plain{grid-template-columns:minmax(0,1fr) auto}.rb-plain .rb-t{font-weight:600}
.rb-pic{width:72px;height:42px;border-radius:7px;overflow:hidden;background:var(--a);
background:linear-gradient(135deg,var(--a),var(--b));display:grid;grid-template:100%/100%}
.rb-pic>*{grid-area:1/1}.rb-pic svg{width:16px;height:16px;fill:#fff;opacity:.85;place-self:center}
.rb-pic img{position:relative;place-self:stretch;min-width:0;min-height:0;object-fit:cover}
.rb-tavus{--a:#5b6ee1;--b:#8d5bd6}.rb-heygen{--a:#0f8fb3;--b:#2f6fe0}.rb-memories{--a:#c2507e;--b:#8a4bc0}
.rb-videogen{--a:#2d8f6f;--b:#2c7aa8}.rb-pixverse{--a:#c9612b;--b:#b93a6a}.rb-other{--a:#66717f;--b:#4a5563}
.rb-t{font-weight:600;white-space:nowrap;overflow:hidden;text-overflow:ellipsis;text-align:left;max-height:1.5em}
.rb-m{color:var(--dim);font-size:12px;min-width:0}
.rb-when{color:var(--dim);font-size:12px;white-space:nowrap;text-align:right;align-self:center}
.rb-when b{display:block;color:var(--text);font-weight:600;font-size:13px}
.rb-why{color:var(--red);font-size:12px;margin-top:2px;display:-webkit-box;-webkit-box-orient:vertical;-webkit-line-clamp:2;
overflow:hidden}
.rb-bar{height:5px;border-radius:3px;background:var(--line);overflow:hidden;margin-top:6px}
.rb-bar i{display:block;height:100%;border-radius:3px;background:var(--tone,var(--bar))}
.rb-none{background:repeating-linear-gradient(90deg,var(--line) 0 6px,transparent 6px 10px)}
.rb-s{font-weight:600;color:var(--tone)}
.rb-s:before{content:"";display:inline-block;width:8px;height:8px;border-radius:50%;background:var(--tone);margin-right:6px}
.rb-pill{color:var(--tone);font-weight:600;font-size:12px;border-radius:9px;padding:1px 8px;white-space:nowrap;
display:inline-block;border:1px solid var(--tone);margin-bottom:2px}
.rb-btn{display:inline-block;border:1px solid var(--link);border-radius:14px;padding:2px 13px;font:600 12px/1.6 inherit;
font-family:inherit;font-size:12px;background:transparent;color:var(--link);cursor:pointer;white-space:nowrap}
.rb-btn:hover{background:var(--link);color:var(--card)!important;text-decoration:none!important}
.rb cwdb-action{display:none}.rb form{display:inline;margin:0}
.rb-more,.rb-calm{padding:10px 14px 12px;border-top:1px solid var(--line);color:var(--dim);font-size:12.5px}
.rb-calm{border-top:0;padding-top:2px}
.rb-well{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,225px),1fr));gap:7px 24px;padding:10px 14px 13px;
border-top:1px solid var(--line)}.rb-well>div{display:flex;gap:8px;justify-content:space-between;min-width:0}
.rb-well .rb-t{font-weight:400}
.rb-sub{padding-top:7px;padding-bottom:7px;padding-left:28px;border-top:1px dashed var(--line)}
.rb-note{border:1px solid var(--tone);border-left-width:4px;border-radius:8px;padding:8px 12px;margin-bottom:12px;
background:var(--card)}
.rb-hello{background:var(--card);border:1px solid var(--line);border-radius:14px;padding:34px 22px 30px;text-align:center}
.rb-hello svg{width:46px;height:46px;stroke:var(--tone,var(--link));fill:none;stroke-width:1.6;stroke-linecap:round;
stroke-linejoin:round}
.rb-hello h2{margin:8px 0 4px;font-size:19px;line-height:1.3;font-weight:700;color:var(--text)}
.rb-hello p{margin:6px auto;max-width:56ch;color:var(--dim)}
@container(max-width:460px){.rb-tile b{font-size:19px}.rb-pic{width:48px;height:30px}
.rb-row{grid-template-columns:48px minmax(0,1fr) auto;gap:2px 10px;padding:9px 11px}
.rb-plain{grid-template-columns:minmax(0,1fr) auto}.rb-sub{padding-left:20px}}
.rb-cyan{--tone:var(--cyan)}.rb-yellow{--tone:var(--yellow)}.rb-green{--tone:var(--green)}.rb-red{--tone:var(--red)}
.rb-grey{--tone:var(--grey)}.rb-magenta{--tone:var(--magenta)}.rb-amber{--tone:var(--bar)}
"""
)
