// SPDX-License-Identifier: Apache-2.0

using System.Text.Json;
using System.Text.Json.Nodes;

namespace Weft.Local.Outside;

/// <summary>A host port that leads into the mesh.</summary>
/// <param name="Name">Unique; <c>api</c> or <c>namespace/service:port</c>.</param>
/// <param name="PreferredPorts">Host ports to try in this order; when all are taken, any free one is used.</param>
/// <param name="Target"><c>unix:/path</c>, or <c>address:port</c> as seen from the node.</param>
/// <param name="Scheme">For showing a URL: <c>http</c>, <c>https</c> or <c>tcp</c>.</param>
public sealed record Forward(string Name, IReadOnlyList<int> PreferredPorts, string Target, string Scheme)
{
    /// <summary>Who shall have a loopback address alone, on which this forward has its <see cref="OwnPort"/>, too; empty for nobody.</summary>
    public string Owner { get; init; } = "";

    /// <summary>The port on the owner's address; that or none.</summary>
    public int OwnPort { get; init; }

    /// <summary>Reads the file; an absent one holds none. Throws <see cref="FormatException"/> with the reason otherwise.</summary>
    public static IReadOnlyList<Forward> Read(string file)
    {
        if (!File.Exists(file))
        {
            return [];
        }

        try
        {
            var root = JsonNode.Parse(File.ReadAllText(file)) as JsonObject;
            var items = root?["forwards"] as JsonArray ?? throw new FormatException($"'{file}' has no list 'forwards'.");
            return [.. items.Select(item => Parse(item as JsonObject, file))];
        }
        catch (JsonException e)
        {
            throw new FormatException($"'{file}' is not JSON: {e.Message}", e);
        }
    }

    /// <summary>Replaces the file in one step, so that a reader never sees half of it.</summary>
    public static void Write(string file, IEnumerable<Forward> forwards)
    {
        var items = new JsonArray([.. forwards.Select(f => new JsonObject
        {
            ["name"] = f.Name,
            ["preferredPorts"] = new JsonArray([.. f.PreferredPorts.Select(p => (JsonNode)p)]),
            ["target"] = f.Target,
            ["scheme"] = f.Scheme,
            ["owner"] = f.Owner,
            ["ownPort"] = f.OwnPort,
        })]);
        AtomicFile.Write(file, new JsonObject { ["forwards"] = items }.ToJsonString());
    }

    private static Forward Parse(JsonObject? item, string file)
    {
        var name = (string?)item?["name"];
        var target = (string?)item?["target"];
        if (item is null || string.IsNullOrEmpty(name) || string.IsNullOrEmpty(target))
        {
            throw new FormatException($"'{file}': every forward needs 'name' and 'target'.");
        }

        var ports = item["preferredPorts"] is JsonArray list ? list.Select(p => (int)p!).ToArray() : [];
        return new Forward(name, ports, target, (string?)item["scheme"] ?? "tcp")
        {
            Owner = (string?)item["owner"] ?? "",
            OwnPort = (int?)item["ownPort"] ?? 0,
        };
    }
}

/// <summary>A host port that is really open.</summary>
public sealed record OpenPort(string Name, int Port, string Scheme)
{
    /// <summary>The address that its owner has alone, where the owner's own port is open as well; empty if there is none.</summary>
    public string OwnAddress { get; init; } = "";

    public string Url => Scheme == "tcp" ? $"127.0.0.1:{Port}" : $"{Scheme}://127.0.0.1:{Port}";

    /// <summary>Reads the file that <see cref="PortRelay"/> keeps; none when it is absent.</summary>
    public static IReadOnlyList<OpenPort> Read(string file)
    {
        if (!File.Exists(file))
        {
            return [];
        }

        var items = JsonNode.Parse(File.ReadAllText(file))?["ports"] as JsonArray ?? [];
        return [.. items.Select(i => new OpenPort((string)i!["name"]!, (int)i["port"]!, (string)i["scheme"]!) { OwnAddress = (string?)i["ownAddress"] ?? "" })];
    }

    internal static void Write(string file, IEnumerable<OpenPort> ports)
    {
        var items = new JsonArray([.. ports.Select(p =>
            new JsonObject { ["name"] = p.Name, ["port"] = p.Port, ["scheme"] = p.Scheme, ["url"] = p.Url, ["ownAddress"] = p.OwnAddress })]);
        AtomicFile.Write(file, new JsonObject { ["ports"] = items }.ToJsonString());
    }
}
