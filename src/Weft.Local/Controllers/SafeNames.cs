// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace Weft.Local.Controllers;

/// <summary>The random and hashed endings of generated names: letters and digits that form no words.</summary>
internal static class SafeNames
{
    public const int SuffixCharacters = 5;
    private const string Alphabet = "bcdfghjklmnpqrstvwxz2456789";
    private const uint FnvOffset = 2166136261;
    private const uint FnvPrime = 16777619;

    public static string Suffix(Random random) =>
        string.Create(SuffixCharacters, random, static (text, random) =>
        {
            for (var i = 0; i < text.Length; i++)
            {
                text[i] = Alphabet[random.Next(Alphabet.Length)];
            }
        });

    /// <summary>The same for equal content, whatever the order of its fields. <paramref name="salt"/> tells collisions apart.</summary>
    public static string Hash(JsonNode? content, long salt)
    {
        var text = Canonical(content) + (salt == 0 ? "" : salt.ToString(CultureInfo.InvariantCulture));
        var hash = FnvOffset;
        foreach (var b in Encoding.UTF8.GetBytes(text))
        {
            hash = (hash ^ b) * FnvPrime;
        }

        var digits = hash.ToString(CultureInfo.InvariantCulture);
        return string.Create(digits.Length, digits, static (name, digits) =>
        {
            for (var i = 0; i < name.Length; i++)
            {
                name[i] = Alphabet[digits[i] % Alphabet.Length];
            }
        });
    }

    /// <summary>JSON with its fields in order: equal text means equal content.</summary>
    public static string Canonical(JsonNode? node)
    {
        var text = new StringBuilder();
        Write(node, text);
        return text.ToString();
    }

    private static void Write(JsonNode? node, StringBuilder text)
    {
        switch (node)
        {
            case JsonObject map:
                text.Append('{');
                foreach (var (key, value) in map.OrderBy(pair => pair.Key, StringComparer.Ordinal))
                {
                    text.Append('"').Append(key).Append("\":");
                    Write(value, text);
                    text.Append(',');
                }

                text.Append('}');
                break;
            case JsonArray list:
                text.Append('[');
                foreach (var item in list)
                {
                    Write(item, text);
                    text.Append(',');
                }

                text.Append(']');
                break;
            default:
                text.Append(node?.ToJsonString() ?? "null");
                break;
        }
    }
}
