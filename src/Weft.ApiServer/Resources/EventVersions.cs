// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;

namespace Weft.ApiServer.Resources;

/// <summary>Events are stored as the core group names their fields; the group events.k8s.io shows the same objects under other names.</summary>
internal static class EventVersions
{
    public const string Group = "events.k8s.io";

    /// <summary>The name in events.k8s.io, and the name that is stored.</summary>
    private static readonly (string Shown, string Stored)[] _names =
    [
        ("note", "message"), ("regarding", "involvedObject"), ("reportingController", "reportingComponent"),
        ("deprecatedSource", "source"), ("deprecatedFirstTimestamp", "firstTimestamp"), ("deprecatedLastTimestamp", "lastTimestamp"),
        ("deprecatedCount", "count"),
    ];

    public static bool Differ(ResourceDefinition resource) => resource.Group is Group;

    public static void ToStored(JsonObject tree)
    {
        foreach (var (shown, stored) in _names)
        {
            Rename(tree, shown, stored);
        }
    }

    public static void ToShown(JsonObject tree)
    {
        foreach (var (shown, stored) in _names)
        {
            Rename(tree, stored, shown);
        }
    }

    /// <summary>A field of a selector as the stored object names it.</summary>
    public static string StoredField(string field)
    {
        var top = field.Split('.')[0];
        return Array.Find(_names, pair => pair.Shown == top).Stored is { } stored ? stored + field[top.Length..] : field;
    }

    private static void Rename(JsonObject tree, string from, string to)
    {
        if (!tree.ContainsKey(from))
        {
            return;
        }

        var value = tree[from];
        tree.Remove(from);
        tree[to] = value;
    }
}
