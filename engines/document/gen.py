W="http://schemas.openxmlformats.org/"
P="http://purl.oclc.org/ooxml/"
uris=[
("w",[W+"wordprocessingml/2006/main",P+"wordprocessingml/main"]),
("r",[W+"officeDocument/2006/relationships",P+"officeDocument/relationships"]),
("rel",[W+"package/2006/relationships"]),
("ct",[W+"package/2006/content-types"]),
("cp",[W+"package/2006/metadata/core-properties"]),
("ep",[W+"officeDocument/2006/extended-properties",P+"officeDocument/extendedProperties"]),
("dc",["http://purl.org/dc/elements/1.1/"]),
("dcterms",["http://purl.org/dc/terms/"]),
("a",[W+"drawingml/2006/main",P+"drawingml/main"]),
("c",[W+"drawingml/2006/chart",P+"drawingml/chart"]),
("dgm",[W+"drawingml/2006/diagram",P+"drawingml/diagram"]),
("dsp",["http://schemas.microsoft.com/office/drawing/2008/diagram"]),
("wps",["http://schemas.microsoft.com/office/word/2010/wordprocessingShape"]),
("om",[W+"officeDocument/2006/math",P+"officeDocument/math"]),
("mc",[W+"markup-compatibility/2006"]),
("s",[W+"spreadsheetml/2006/main",P+"spreadsheetml/main"]),
("p",[W+"presentationml/2006/main",P+"presentationml/main"]),
("p188",["http://schemas.microsoft.com/office/powerpoint/2018/8/main"]),
("office",["urn:oasis:names:tc:opendocument:xmlns:office:1.0","http://openoffice.org/2000/office"]),
("text",["urn:oasis:names:tc:opendocument:xmlns:text:1.0","http://openoffice.org/2000/text"]),
("table",["urn:oasis:names:tc:opendocument:xmlns:table:1.0","http://openoffice.org/2000/table"]),
("draw",["urn:oasis:names:tc:opendocument:xmlns:drawing:1.0","http://openoffice.org/2000/drawing"]),
("presentation",["urn:oasis:names:tc:opendocument:xmlns:presentation:1.0","http://openoffice.org/2000/presentation"]),
("style",["urn:oasis:names:tc:opendocument:xmlns:style:1.0","http://openoffice.org/2000/style"]),
("fo",["urn:oasis:names:tc:opendocument:xmlns:xsl-fo-compatible:1.0","http://www.w3.org/1999/XSL/Format"]),
("svg",["urn:oasis:names:tc:opendocument:xmlns:svg-compatible:1.0","http://www.w3.org/2000/svg"]),
("meta",["urn:oasis:names:tc:opendocument:xmlns:meta:1.0","http://openoffice.org/2000/meta"]),
("manifest",["urn:oasis:names:tc:opendocument:xmlns:manifest:1.0","http://openoffice.org/2001/manifest"]),
("xlink",["http://www.w3.org/1999/xlink"]),
("xml",["http://www.w3.org/XML/1998/namespace"]),
("ocf",["urn:oasis:names:tc:opendocument:xmlns:container"]),
("opf",["http://www.idpf.org/2007/opf","http://openebook.org/namespaces/oeb-package/1.0/"]),
("enc",["http://www.w3.org/2001/04/xmlenc#"]),
]
names={
"w":"body p r t pPr rPr pStyle rStyle numPr numId ilvl outlineLvl b i strike dstrike vanish tab ptab br cr noBreakHyphen sym hyperlink fldSimple fldChar instrText footnoteReference endnoteReference footnote endnote comment del moveFrom ins tbl tr tc tcPr tblPr tblGrid trPr gridSpan vMerge gridBefore sdtContent txbxContent lastRenderedPageBreak sectPr pageBreakBefore altChunk rt style name basedOn abstractNum lvl start numFmt lvlText lvlOverride startOverride num abstractNumId numStyleLink styleLink isLgl type headers sdtPr sdtEndPr tcW rFonts",
"rel":"Relationships Relationship",
"ct":"Default Override",
"cp":"keywords lastModifiedBy coreProperties",
"ep":"Pages Slides Application",
"dc":"title creator subject language date description",
"dcterms":"created modified",
"a":"p r t br fld pPr rPr buNone buAutoNum buChar buBlip hlinkClick tbl tr tc tcPr off xfrm txBody graphicData chOff ext chExt lnSpc endParaRPr lstStyle",
"c":"chart title tx v cat val xVal yVal ser plotArea pt ptCount strCache numCache autoTitleDeleted rich",
"dgm":"relIds pt t ptLst cxn",
"dsp":"txBody sp",
"wps":"txbx",
"om":"oMath oMathPara t r f num den sup sub sSup sSub sSubSup sPre e rad deg nary naryPr chr d dPr begChr endChr sepChr func fName m mr limLow limUpp lim acc accPr bar box groupChr eqArr degHide ctrlPr",
"mc":"AlternateContent Choice Fallback",
"s":"sheet workbookPr sst si t r rPh row c v is f mergeCell sheetData numFmt cellXfs xf cellStyleXfs comment authors author text dimension",
"p":"sldIdLst sldId sld cSld spTree sp grpSp graphicFrame cxnSp pic nvPr ph txBody spPr grpSpPr xfrm nvSpPr cNvPr oleObj sldSz notes cm text cmAuthor pos cNvSpPr bg style",
"p188":"cm reply txBody author",
"office":"body text spreadsheet presentation drawing annotation meta document styles automatic-styles master-styles settings scripts font-face-decls document-content forms event-listeners chart binary-data",
"text":"p h span a s tab line-break list list-item list-header note note-citation note-body tracked-changes numbered-paragraph section index-body table-of-content alphabetical-index bibliography illustration-index table-index user-index object-index list-style list-level-style-number list-level-style-bullet list-level-style-image outline-style outline-level-style soft-page-break ruby ruby-base ruby-text bookmark sequence title sequence-decls deletion table-of-content-source index-title hidden-text hidden-paragraph variable-decls user-field-decls dde-connection-decls changed-region page-number footnote endnote footnote-body endnote-body footnote-citation endnote-citation unordered-list ordered-list note-ref forms conditional-text",
"table":"table table-row table-cell covered-table-cell table-header-rows table-rows table-row-group table-columns table-column table-column-group shapes named-expressions tracked-changes calculation-settings content-validations database-ranges table-header-columns table-protection sub-table label-ranges consolidation data-pilot-tables dde-links",
"draw":"page frame text-box g custom-shape rect line connector ellipse polyline polygon path object image object-ole a circle control caption regular-polygon title desc enhanced-geometry layer-set",
"presentation":"notes settings footer-decl header-decl date-time-decl",
"style":"style text-properties paragraph-properties list-level-properties table-properties default-style graphic-properties",
"svg":"title desc",
"meta":"creation-date keyword document-statistic initial-creator generator",
"manifest":"file-entry encryption-data",
"ocf":"rootfile",
"opf":"package metadata manifest item spine itemref title creator language date meta",
"enc":"EncryptedData EncryptionMethod CipherReference",
}
import re
def up(s):
    s=re.sub(r'([a-z0-9])([A-Z])',r'\1_\2',s).replace('-','_')
    return s.upper()
print('''/* xml_names.def: every namespace and element that a reader knows (xml.h).
 *
 * XML_URI(prefix, uri)             what a namespace is called here; Strict, Transitional and older forms share one prefix
 * XML_NAME(ident, prefix, local)   an element and its number */''')
print('/* clang-format off */')
for p,us in uris:
    for u in us: print(f'XML_URI("{p}", "{u}")')
print()
for p,_ in uris:
    if p not in names: continue
    seen=set()
    for n in names[p].split():
        if n in seen: continue
        seen.add(n)
        print(f'XML_NAME({up(p)}_{up(n)}, "{p}", "{n}")')
    print()
print('/* clang-format on */')
