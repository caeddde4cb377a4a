// SPDX-License-Identifier: Apache-2.0

using Microsoft.AspNetCore.Http;
using Weft.ApiServer.Http;

namespace Weft.ApiServer.Security;

/// <summary>Acting as somebody else (<c>kubectl --as</c>), for those who may.</summary>
internal sealed class Impersonation(Authorization authorization)
{
    private const string UserHeader = "Impersonate-User";
    private const string GroupHeader = "Impersonate-Group";
    private const string UidHeader = "Impersonate-Uid";
    private const string ExtraPrefix = "Impersonate-Extra-";
    private const string AuthenticationGroup = "authentication.k8s.io";
    private const string AccountPrefix = "system:serviceaccount:";

    public UserIdentity Apply(HttpContext context, UserIdentity user)
    {
        var headers = context.Request.Headers;
        var name = headers[UserHeader].ToString();
        var groups = headers[GroupHeader].OfType<string>().ToList();
        var uid = headers[UidHeader].ToString();
        var extra = headers.Where(header => header.Key.StartsWith(ExtraPrefix, StringComparison.OrdinalIgnoreCase))
            .ToDictionary(
                header => Uri.UnescapeDataString(header.Key[ExtraPrefix.Length..].ToLowerInvariant()),
                header => header.Value.OfType<string>().ToArray(),
                StringComparer.Ordinal);
        if (name.Length == 0)
        {
            return groups.Count == 0 && uid.Length == 0 && extra.Count == 0
                ? user
                : throw new ApiException(
                    500, "InternalError", "Internal error occurred: requested " +
                    $"[{string.Join(' ', groups.Select(group => $"{{Group  {group}}}"))}] without impersonating a user");
        }

        if (name.StartsWith(AccountPrefix, StringComparison.Ordinal) && name[AccountPrefix.Length..].Split(':') is [var ns, var account])
        {
            Require(user, "serviceaccounts", account, ns);
            groups = groups.Count > 0 ? groups : ["system:serviceaccounts", "system:serviceaccounts:" + ns];
        }
        else
        {
            Require(user, "users", name);
        }

        foreach (var group in headers[GroupHeader].OfType<string>())
        {
            Require(user, "groups", group);
        }

        RequireRest(user, uid, extra);
        var everybody = name is "system:anonymous" ? "system:unauthenticated" : "system:authenticated";
        if (!groups.Contains(everybody, StringComparer.Ordinal))
        {
            groups.Add(everybody);
        }

        return new UserIdentity(name, uid, groups) { Extra = extra };
    }

    private void RequireRest(UserIdentity user, string uid, Dictionary<string, string[]> extra)
    {
        if (uid.Length > 0)
        {
            Require(user, "uids", uid, group: AuthenticationGroup);
        }

        foreach (var (key, values) in extra)
        {
            foreach (var value in values)
            {
                Require(user, "userextras", value, group: AuthenticationGroup, sub: key);
            }
        }
    }

    private void Require(UserIdentity user, string resource, string name, string ns = "", string group = "", string sub = "") =>
        authorization.Require(
            new AccessQuestion(user, "impersonate") { Group = group, Resource = resource, Subresource = sub, Namespace = ns, Name = name }, name);
}
