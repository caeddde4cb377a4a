// SPDX-License-Identifier: Apache-2.0

using System.Text.Encodings.Web;
using System.Text.Json;
using Weft.Sample.Serve;

namespace Weft.Sample.StandIns;

/// <summary>Answers that are one JSON object.</summary>
internal static class JsonAnswer
{
    private static readonly JsonWriterOptions _plain = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static Answer Of(int status, Action<Utf8JsonWriter> write)
    {
        using var stream = new MemoryStream(512);
        using (var writer = new Utf8JsonWriter(stream, _plain))
        {
            writer.WriteStartObject();
            write(writer);
            writer.WriteEndObject();
        }

        stream.WriteByte((byte)'\n');
        return new Answer(status, "application/json", stream.ToArray());
    }

    /// <summary>A map of names to texts; a name that comes again makes a list of its value.</summary>
    public static void Map(this Utf8JsonWriter writer, string name, IEnumerable<KeyValuePair<string, string>> entries)
    {
        writer.WriteStartObject(name);
        foreach (var group in entries.GroupBy(entry => entry.Key, entry => entry.Value, StringComparer.Ordinal))
        {
            var values = group.ToList();
            if (values.Count == 1)
            {
                writer.WriteString(group.Key, values[0]);
                continue;
            }

            writer.WriteStartArray(group.Key);
            values.ForEach(writer.WriteStringValue);
            writer.WriteEndArray();
        }

        writer.WriteEndObject();
    }
}
