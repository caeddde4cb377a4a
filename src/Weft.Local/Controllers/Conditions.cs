// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.Json.Nodes;
using Weft.Kubernetes;

namespace Weft.Local.Controllers;

/// <summary>Conditions of a status: a list in which each type stands once.</summary>
internal static class Conditions
{
    public static string Time(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);

    /// <summary>A time of the API; null if there is none.</summary>
    public static DateTimeOffset? At(JsonNode? source, params ReadOnlySpan<string> path) =>
        DateTimeOffset.TryParse(source?.Text(path), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at) ? at : null;

    public static JsonObject? Find(JsonObject source, string type) =>
        source.Objects("status", "conditions").FirstOrDefault(condition => condition.Text("type") == type);

    public static bool Holds(JsonObject source, string type) => Find(source, type)?.Text("status") == "True";

    /// <summary>The other conditions as they are and this one in its place, or at the end if it is new.</summary>
    public static JsonArray With(JsonObject source, JsonObject condition) => With(source.Objects("status", "conditions"), condition);

    public static JsonArray With(IEnumerable<JsonObject> conditions, JsonObject condition)
    {
        var all = conditions.Select(present => (JsonNode)present.DeepClone()).ToList();
        var place = all.FindIndex(present => present.Text("type") == condition.Text("type"));
        if (place < 0)
        {
            all.Add(condition);
        }
        else
        {
            all[place] = condition;
        }

        return new JsonArray([.. all]);
    }

    public static JsonObject Next(JsonObject? present, string type, bool holds, string reason, string message, DateTimeOffset now, bool hasUpdateTime) =>
        Next(present, (type, holds ? "True" : "False", reason, message), now, hasUpdateTime);

    /// <summary>
    /// The condition as it should be written: its transition time changes only with its status, its update time (where the kind has
    /// one) only with anything else, so that writing the same again changes nothing.
    /// </summary>
    public static JsonObject Next(
        JsonObject? present, (string Type, string Status, string Reason, string Message) wanted, DateTimeOffset now, bool hasUpdateTime)
    {
        var sameStatus = present?.Text("status") == wanted.Status;
        var same = sameStatus && present?.Text("reason") == wanted.Reason && present?.Text("message") == wanted.Message;
        var next = new JsonObject
        {
            ["type"] = wanted.Type,
            ["status"] = wanted.Status,
            ["lastTransitionTime"] = sameStatus ? present!.Text("lastTransitionTime") : Time(now),
            ["reason"] = wanted.Reason,
            ["message"] = wanted.Message,
        };
        if (hasUpdateTime)
        {
            next["lastUpdateTime"] = same ? present!.Text("lastUpdateTime") : Time(now);
        }

        return next;
    }
}
