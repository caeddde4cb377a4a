// SPDX-License-Identifier: Apache-2.0

using System.Text;
using System.Text.Json.Nodes;
using Weft.ApiServer.Http;
using Weft.ApiServer.Security;

namespace Weft.ApiServer.Verbs;

/// <summary>Secrets that hold a lasting token of a service account.</summary>
internal static class AccountSecrets
{
    private const string Type = "kubernetes.io/service-account-token";
    private const string NameAnnotation = "kubernetes.io/service-account.name";
    private const string UidAnnotation = "kubernetes.io/service-account.uid";

    public static void Fill(ApiServices services, ApiRequest request, JsonObject tree)
    {
        if (tree.Text("type") is not Type)
        {
            return;
        }

        var name = tree.At("metadata", "annotations", NameAnnotation).Text();
        if (string.IsNullOrEmpty(name))
        {
            throw ApiException.Invalid(request.Resource, tree.At("metadata", "name").Text() ?? "", [FieldError.Required(
                $"metadata.annotations[{NameAnnotation}]")]);
        }

        if (services.Store.Find("serviceaccounts", request.Namespace, name) is not { } account)
        {
            throw ApiException.BadRequest($"the service account {request.Namespace}/{name} that the secret names does not exist");
        }

        tree.Child("metadata").Child("annotations")[UidAnnotation] = account.Uid;
        var secret = new TokenBinding("secret", tree.At("metadata", "name").Text()!, tree.At("metadata", "uid").Text()!);
        var data = tree.Child("data");
        data["ca.crt"] = Encoded(services.Authority.RootPem);
        data["namespace"] = Encoded(request.Namespace);
        data["token"] = Encoded(services.Tokens.Issue(account, secret, [TokenAuthority.DefaultAudience], null));
    }

    private static string Encoded(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));
}
