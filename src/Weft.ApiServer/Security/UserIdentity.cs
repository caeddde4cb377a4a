// SPDX-License-Identifier: Apache-2.0

namespace Weft.ApiServer.Security;

/// <summary>Who asks.</summary>
public sealed record UserIdentity(string Name, string Uid, IReadOnlyList<string> Groups)
{
    public static UserIdentity Anonymous { get; } = new("system:anonymous", "", ["system:unauthenticated"]);

    public static UserIdentity Administrator { get; } = new("system:admin", "", ["system:masters", "system:authenticated"]);

    /// <summary>Members of this group may do everything.</summary>
    public bool IsAdministrator => Groups.Contains("system:masters", StringComparer.Ordinal);
}
