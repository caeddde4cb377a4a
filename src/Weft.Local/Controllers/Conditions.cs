// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.Json.Nodes;
using Weft.Kubernetes;

namespace Weft.Local.Controllers;

/// <summary>Conditions of a status: a list in which each type stands once.</summary>
internal static class Conditions
{
    public static string Time(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);

    public static JsonObject? Find(JsonObject source, string type) =>
        source.Objects("status", "conditions").FirstOrDefault(condition => condition.Text("type") == type);

    /// <summary>
    /// The condition as it should be written: its transition time changes only with its status, its update time (where the kind has
    /// one) only with anything else, so that writing the same again changes nothing.
    /// </summary>
    public static JsonObject Next(JsonObject? present, string type, bool holds, string reason, string message, DateTimeOffset now, bool hasUpdateTime)
    {
        var status = holds ? "True" : "False";
        var sameStatus = present?.Text("status") == status;
        var same = sameStatus && present?.Text("reason") == reason && present?.Text("message") == message;
        var next = new JsonObject
        {
            ["type"] = type,
            ["status"] = status,
            ["lastTransitionTime"] = sameStatus ? present!.Text("lastTransitionTime") : Time(now),
            ["reason"] = reason,
            ["message"] = message,
        };
        if (hasUpdateTime)
        {
            next["lastUpdateTime"] = same ? present!.Text("lastUpdateTime") : Time(now);
        }

        return next;
    }
}
