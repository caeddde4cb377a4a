// SPDX-License-Identifier: Apache-2.0

// Generated from api/diagnostics.yaml; see there.
namespace Weft.Model.Diagnostics;

/// <summary>Messages WEFT0000 to WEFT0999: reading text.</summary>
public static class ReadingMessages
{
    public static DiagnosticMessage TextTooLarge { get; } = new(
        "WEFT0001",
        Severity.Error,
        "The text has {size} bytes; at most {limit} are read.",
        "Split it into several files.",
        "The limit keeps one file from using up the memory of the control plane.");

    public static DiagnosticMessage TooDeep { get; } = new(
        "WEFT0002",
        Severity.Error,
        "The document is nested more than {limit} levels deep.",
        "Remove the nesting; no object that is read here needs it.",
        "Reading stops at this level, so that a deep document costs neither time nor stack.");

    public static DiagnosticMessage TooManyNodes { get; } = new(
        "WEFT0003",
        Severity.Error,
        "The document holds more than {limit} values, counting every alias as what it stands for.",
        "Use fewer aliases, or split the document.",
        "Aliases of aliases can make a small text stand for billions of values; they are counted before they are followed.");

    public static DiagnosticMessage TooManyDocuments { get; } = new(
        "WEFT0004",
        Severity.Error,
        "The text holds more than {limit} documents; the others are not read.",
        "Split it into several files.",
        "Documents are separated by lines that begin with '---'.");

    public static DiagnosticMessage ScalarTooLong { get; } = new(
        "WEFT0005",
        Severity.Error,
        "A value has {length} characters; at most {limit} are read.",
        "Shorten the value.",
        "The API server of Kubernetes refuses objects of more than 1.5 MiB, and no value in one can be longer.");

    public static DiagnosticMessage DuplicateKey { get; } = new(
        "WEFT0006",
        Severity.Error,
        "The key '{key}' is given twice; it was first given at {first}.",
        "Keep one of the two.",
        "YAML forbids it, and readers that allow it disagree about which of the two counts.");

    public static DiagnosticMessage YamlSyntax { get; } = new(
        "WEFT0007",
        Severity.Error,
        "The text is not valid YAML: {reason}",
        "Correct the document at this place; the documents before and after it are not affected.",
        "The position is where reading had to stop; the cause is there or shortly before.");

    public static DiagnosticMessage TabIndentation { get; } = new(
        "WEFT0008",
        Severity.Error,
        "This line is indented with a tab.",
        "Indent with spaces.",
        "YAML 1.2 §6.1: tabs must not be used in indentation.");

    public static DiagnosticMessage UnknownAlias { get; } = new(
        "WEFT0009",
        Severity.Error,
        "The alias '*{name}' refers to no anchor that is complete before it.",
        "Define '&{name}' earlier in the same document, or quote the value if it is meant as text.",
        "An alias inside of its own anchor would be endless and is refused for the same reason.");

    public static DiagnosticMessage KeyNotText { get; } = new(
        "WEFT0010",
        Severity.Error,
        "A key must be a plain text, not {actual}.",
        "Write the key as text.",
        "Objects of the Kubernetes API are JSON; their keys are texts.");

    public static DiagnosticMessage MergeNotMapping { get; } = new(
        "WEFT0011",
        Severity.Error,
        "The merge key '<<' needs a mapping or a list of mappings.",
        "Refer to a mapping, as in '<<: *defaults'.",
        "The keys of the merged mapping are added where the object does not have them itself.");

    public static DiagnosticMessage NotAnObject { get; } = new(
        "WEFT0012",
        Severity.Error,
        "The document is {actual}, not an object with apiVersion and kind.",
        "Begin it with apiVersion, kind and metadata.",
        "Every document of a file must be one object of the Kubernetes API, or a List of them.");

    public static DiagnosticMessage UnsupportedTag { get; } = new(
        "WEFT0013",
        Severity.Error,
        "The tag '{tag}' has no meaning here.",
        "Remove the tag.",
        "Only the tags of YAML's core schema are known: !!str, !!int, !!float, !!bool, !!null, !!map, !!seq.");

    public static DiagnosticMessage ControlCharacter { get; } = new(
        "WEFT0014",
        Severity.Error,
        "The text holds the control character {character}.",
        "Remove it, or write it as an escape inside double quotes.",
        "YAML 1.2 §5.1 allows no control characters but tab and line breaks.");

    public static DiagnosticMessage NotJson { get; } = new(
        "WEFT0015",
        Severity.Error,
        "The object is not valid JSON: {reason}",
        "Send a JSON object.",
        "Objects that come from the Kubernetes API are JSON.");

    public static DiagnosticMessage UnknownField { get; } = new(
        "WEFT0101",
        Severity.Error,
        "The field '{field}' is not known in {place}.",
        "Remove it, or correct its name.",
        "A misspelled field would otherwise be dropped silently, and the object would not do what it says.");

    public static DiagnosticMessage MissingField { get; } = new(
        "WEFT0102",
        Severity.Error,
        "The field '{field}' is required in {place}.",
        "Add it.",
        "The object has no meaning without this field.");

    public static DiagnosticMessage WrongType { get; } = new(
        "WEFT0103",
        Severity.Error,
        "'{field}' must be {expected}, not {actual}.",
        "Write {expected}.",
        "A text that looks like a number or a boolean (yes, no, on, off, true, false) must be quoted to be a text.");

    public static DiagnosticMessage UnknownValue { get; } = new(
        "WEFT0104",
        Severity.Error,
        "'{value}' is not a value of '{field}'.",
        "Write one of: {allowed}.",
        "Values are compared letter by letter.");

    public static DiagnosticMessage OutOfRange { get; } = new(
        "WEFT0105",
        Severity.Error,
        "'{field}' is {value}, which is not between {minimum} and {maximum}.",
        "Write a number from {minimum} to {maximum}.",
        "Numbers outside of the range have no meaning for this field.");

    public static DiagnosticMessage BadDuration { get; } = new(
        "WEFT0106",
        Severity.Error,
        "The duration '{value}' of '{field}' is not valid: {reason}.",
        "Write a number with a unit, as in 500ms, 5s, 1m30s or 1h.",
        "Units are h, m, s and ms; the smallest step is one millisecond.");

    public static DiagnosticMessage ConflictingFields { get; } = new(
        "WEFT0107",
        Severity.Error,
        "'{first}' and '{second}' exclude each other in {place}.",
        "Keep one of them.",
        "Both say what is to be done with the same thing.");

    public static DiagnosticMessage EmptyList { get; } = new(
        "WEFT0108",
        Severity.Error,
        "'{field}' is empty.",
        "Give at least one, or remove the field.",
        "An empty list here would leave the object without effect.");

    public static DiagnosticMessage EmptyText { get; } = new(
        "WEFT0109",
        Severity.Error,
        "'{field}' is an empty text.",
        "Give it a value, or remove the field.",
        "An empty text is most often a variable that was not filled in.");

    public static DiagnosticMessage FieldNotSupported { get; } = new(
        "WEFT0110",
        Severity.Warning,
        "'{field}' is not supported yet and is ignored.",
        "The rest of the object takes effect. docs/reference/dialects lists what is supported.",
        "The field is known upstream. It is reported rather than refused, so that existing files go on working.");

    public static DiagnosticMessage KindNotSupported { get; } = new(
        "WEFT0111",
        Severity.Warning,
        "{kind} ({apiVersion}) is not supported yet; the object has no effect.",
        "docs/reference/dialects lists the kinds that are supported.",
        "The kind is known upstream and is stored, but nothing acts on it.");

    public static DiagnosticMessage KindNotRead { get; } = new(
        "WEFT0112",
        Severity.Info,
        "{kind} ({apiVersion}) is not a kind that the mesh reads; it was not checked.",
        null,
        "Objects of other systems may stand in the same file.");

    public static DiagnosticMessage UnknownKind { get; } = new(
        "WEFT0113",
        Severity.Error,
        "There is no kind '{kind}' in the group '{group}'.",
        "Correct the kind.",
        "Kinds are written in upper camel case, e.g. VirtualService.");

    public static DiagnosticMessage UnknownVersion { get; } = new(
        "WEFT0114",
        Severity.Error,
        "{kind} is not served in the version '{apiVersion}'.",
        "Write apiVersion: {served}.",
        "The versions of a kind that are served have the same fields.");

    public static DiagnosticMessage DeprecatedField { get; } = new(
        "WEFT0115",
        Severity.Warning,
        "'{field}' is deprecated upstream.",
        "Use '{instead}'.",
        "It still has its effect.",
        "IST0002");

    public static DiagnosticMessage TooManyFindings { get; } = new(
        "WEFT0116",
        Severity.Error,
        "The object has more than {limit} findings; the others are not listed.",
        "Correct those that are listed first.",
        "The list is cut so that one object cannot bury the findings about the others.");

    public static DiagnosticMessage UnknownMeshField { get; } = new(
        "WEFT0117",
        Severity.Warning,
        "The field '{field}' is not known in {place} of the mesh's configuration.",
        "Remove it, or correct its name.",
        "The rest of the configuration takes effect: a whole mesh should not depend on one word.");

    public static EquatableArray<DiagnosticMessage> All { get; } =
    [
        TextTooLarge,
        TooDeep,
        TooManyNodes,
        TooManyDocuments,
        ScalarTooLong,
        DuplicateKey,
        YamlSyntax,
        TabIndentation,
        UnknownAlias,
        KeyNotText,
        MergeNotMapping,
        NotAnObject,
        UnsupportedTag,
        ControlCharacter,
        NotJson,
        UnknownField,
        MissingField,
        WrongType,
        UnknownValue,
        OutOfRange,
        BadDuration,
        ConflictingFields,
        EmptyList,
        EmptyText,
        FieldNotSupported,
        KindNotSupported,
        KindNotRead,
        UnknownKind,
        UnknownVersion,
        DeprecatedField,
        TooManyFindings,
        UnknownMeshField,
    ];
}
