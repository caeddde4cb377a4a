// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Weft.ApiServer.Http;

namespace Weft.ApiServer.Security;

/// <summary>
/// Who may do what. Roles are not served yet, so this is what a cluster without role bindings does: administrators may do
/// everything, everybody else may ask who they are.
/// </summary>
internal static class Authorization
{
    public static void Check(ApiRequest request)
    {
        if (Allows(request.User, request.Resource.GroupResource))
        {
            return;
        }

        var resource = request.Resource;
        var target = request.Subresource is null ? resource.Plural : resource.Plural + "/" + request.Subresource;
        var name = request.Name is null ? "" : $" \"{request.Name}\"";
        var place = request.Namespace.Length > 0 ? $" in the namespace \"{request.Namespace}\"" : " at the cluster scope";
        var details = new JsonObject();
        if (request.Name is not null)
        {
            details["name"] = request.Name;
        }

        if (resource.Group.Length > 0)
        {
            details["group"] = resource.Group;
        }

        details["kind"] = resource.Plural;
        throw new ApiException(
            403,
            "Forbidden",
            $"{resource.GroupResource}{name} is forbidden: User \"{request.User.Name}\" cannot {Verb(request)} resource " +
            $"\"{target}\" in API group \"{resource.Group}\"{place}",
            details);
    }

    public static bool Allows(UserIdentity user, string groupResource) => user.IsAdministrator
        || (groupResource.StartsWith("self", StringComparison.Ordinal)
            && user.Groups.Contains("system:authenticated", StringComparer.Ordinal));

    public static string Verb(ApiRequest request)
    {
        var method = request.Context.Request.Method;
        return method switch
        {
            _ when HttpMethods.IsPost(method) => "create",
            _ when HttpMethods.IsPut(method) => "update",
            _ when HttpMethods.IsPatch(method) => "patch",
            _ when HttpMethods.IsDelete(method) => request.Name is null ? "deletecollection" : "delete",
            _ when request.Query("watch") is not null && request.QueryFlag("watch") => "watch",
            _ => request.Name is null ? "list" : "get",
        };
    }
}
