// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;

namespace Weft.ApiServer.Security;

/// <summary>Who asks.</summary>
public sealed record UserIdentity(string Name, string Uid, IReadOnlyList<string> Groups)
{
    private static readonly Dictionary<string, string[]> _nothing = [];

    public static UserIdentity Anonymous { get; } = new("system:anonymous", "", ["system:unauthenticated"]);

    public static UserIdentity Administrator { get; } = new("system:admin", "", ["system:masters", "system:authenticated"]);

    /// <summary>What else is known of the user, such as the pod that a token is bound to.</summary>
    public IReadOnlyDictionary<string, string[]> Extra { get; init; } = _nothing;

    /// <summary>Members of this group may do everything.</summary>
    public bool IsAdministrator => Groups.Contains("system:masters", StringComparer.Ordinal);

    /// <summary>As reviews show users.</summary>
    public JsonObject ToJson()
    {
        var result = new JsonObject { ["username"] = Name };
        if (Uid.Length > 0)
        {
            result["uid"] = Uid;
        }

        result["groups"] = Texts(Groups);
        if (Extra.Count > 0)
        {
            result["extra"] = new JsonObject(Extra.Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)Texts(pair.Value))));
        }

        return result;
    }

    private static JsonArray Texts(IEnumerable<string> items) => new([.. items.Select(item => (JsonNode?)JsonValue.Create(item))]);
}
