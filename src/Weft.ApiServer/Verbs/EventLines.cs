// SPDX-License-Identifier: Apache-2.0

using System.Text;
using System.Text.Json.Nodes;
using Weft.ApiServer.Http;
using Weft.ApiServer.Storage;

namespace Weft.ApiServer.Verbs;

/// <summary>
/// Events as the lines that watches send. A thousand watchers of one change share one encoding: the last ones made are kept in
/// a table of fixed size, where a newer one takes an older one's place.
/// </summary>
internal sealed class EventLines
{
    private readonly Entry?[] _entries = new Entry?[ApiLimits.SharedEvents];

    /// <summary>The line of an object's event in one form; <paramref name="encode"/> is called for the first that wants it.</summary>
    /// <param name="form">Everything that the line depends on besides the object.</param>
    public byte[] Get(string type, StoredObject item, string form, Func<byte[]> encode)
    {
        ref var place = ref _entries[(uint)HashCode.Combine(item.Version, type, form) % (uint)_entries.Length];
        var entry = Volatile.Read(ref place);
        if (entry is null || !ReferenceEquals(entry.Item, item) || entry.Type != type || entry.Form != form)
        {
            entry = new Entry(item, type, form, new Lazy<byte[]>(encode, LazyThreadSafetyMode.ExecutionAndPublication));
            Volatile.Write(ref place, entry);
        }

        return entry.Line.Value;
    }

    public static byte[] Encode(string type, JsonNode shown) => Wrap(type, JsonText.Bytes(shown));

    /// <summary>An event around an object that is text already.</summary>
    public static byte[] Wrap(string type, ReadOnlySpan<byte> json)
    {
        var head = Encoding.UTF8.GetBytes($"{{\"type\":\"{type}\",\"object\":");
        var line = new byte[head.Length + json.Length + 2];
        head.CopyTo(line, 0);
        json.CopyTo(line.AsSpan(head.Length));
        line[^2] = (byte)'}';
        line[^1] = (byte)'\n';
        return line;
    }

    private sealed record Entry(StoredObject Item, string Type, string Form, Lazy<byte[]> Line);
}
