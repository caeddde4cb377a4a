// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Weft.Cli.Output;

/// <summary>Writes objects as YAML in block style, fields in their order; text is quoted wherever a reader might take it for something else.</summary>
internal static partial class YamlText
{
    private static readonly JsonSerializerOptions _quoted = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>One document after another, <c>---</c> in between.</summary>
    public static string Write(IEnumerable<JsonObject> documents)
    {
        var text = new StringBuilder();
        foreach (var document in documents)
        {
            text.Append(text.Length == 0 ? "" : "---\n");
            WriteMap(text, document, 0);
        }

        return text.ToString();
    }

    /// <summary>A list as one document.</summary>
    public static string Write(JsonArray list)
    {
        var text = new StringBuilder(list.Count == 0 ? "[]\n" : "");
        WriteList(text, list, 0);
        return text.ToString();
    }

    private static void WriteMap(StringBuilder text, JsonObject map, int depth)
    {
        var first = true;
        foreach (var (name, value) in map)
        {
            // The first field stands behind the dash of its list.
            text.Append(' ', first && text.Length > 0 && text[^1] == ' ' ? 0 : depth).Append(Scalar(name)).Append(':');
            first = false;
            WriteValue(text, value, depth);
        }
    }

    private static void WriteValue(StringBuilder text, JsonNode? value, int depth)
    {
        switch (value)
        {
            case JsonObject { Count: > 0 } map:
                text.Append('\n');
                WriteMap(text, map, depth + 2);
                break;
            case JsonArray { Count: > 0 } list:
                text.Append('\n');
                WriteList(text, list, depth);
                break;
            default:
                text.Append(' ').Append(Leaf(value)).Append('\n');
                break;
        }
    }

    private static void WriteList(StringBuilder text, JsonArray list, int depth)
    {
        foreach (var item in list)
        {
            text.Append(' ', depth).Append("- ");
            if (item is JsonObject { Count: > 0 } map)
            {
                WriteMap(text, map, depth + 2);
            }
            else
            {
                text.Append(item is JsonArray { Count: > 0 } ? item.ToJsonString(_quoted) : Leaf(item)).Append('\n');
            }
        }
    }

    private static string Leaf(JsonNode? value) => value switch
    {
        null => "null",
        JsonObject => "{}",
        JsonArray => "[]",
        JsonValue leaf when leaf.TryGetValue(out string? word) => Scalar(word),
        _ => value.ToJsonString(),
    };

    private static string Scalar(string word) =>
        Plain().IsMatch(word) && !Reserved().IsMatch(word) && !double.TryParse(word, NumberStyles.Any, CultureInfo.InvariantCulture, out _)
            ? word
            : JsonSerializer.Serialize(word, _quoted);

    [GeneratedRegex(@"^[A-Za-z_/.][A-Za-z0-9_./@+-]*(:[A-Za-z0-9_./@+-]+)*\z")]
    private static partial Regex Plain();

    [GeneratedRegex(@"^(y|n|yes|no|on|off|true|false|null|\.inf|\.nan|\.)\z", RegexOptions.IgnoreCase)]
    private static partial Regex Reserved();
}
