// SPDX-License-Identifier: Apache-2.0

using System.Text;
using System.Text.Json.Nodes;
using Weft.ApiServer.Http;
using Weft.ApiServer.Security;

namespace Weft.ApiServer.Verbs;

/// <summary>Certificate signing requests: who asks is noted, an approval is a right of its own, approved clients are signed at once.</summary>
internal sealed class SigningRequests(ApiServices services)
{
    public const string Resource = "certificatesigningrequests.certificates.k8s.io";
    public const string ClientSigner = "kubernetes.io/kube-apiserver-client";

    private const long DefaultSeconds = 365 * 24 * 3600;
    private const long ShortestSeconds = 600;

    /// <summary>The server, not the client, says who asks.</summary>
    public static void Begin(ApiRequest request, JsonObject tree)
    {
        var spec = tree.Child("spec");
        foreach (var field in new[] { "username", "uid", "groups", "extra" })
        {
            spec.Remove(field);
        }

        foreach (var (name, value) in request.User.ToJson())
        {
            spec[name] = value?.DeepClone();
        }
    }

    public static void Check(JsonObject tree, List<FieldError> errors)
    {
        var spec = tree["spec"] as JsonObject ?? [];
        if (string.IsNullOrEmpty(spec.Text("signerName")))
        {
            errors.Add(FieldError.Required("spec.signerName"));
        }

        if (spec["usages"] is not JsonArray { Count: > 0 })
        {
            errors.Add(FieldError.Required("spec.usages"));
        }

        if (spec.Number("expirationSeconds") is < ShortestSeconds and var seconds)
        {
            errors.Add(FieldError.Invalid("spec.expirationSeconds", seconds, "may not specify a duration less than 600 seconds (10 minutes)"));
        }

        if (ServingAuthority.ReadRequest(Pem(spec)) is null)
        {
            errors.Add(FieldError.Invalid("spec.request", new Verbatim("[]byte"), "PEM block type must be CERTIFICATE REQUEST"));
        }
        else if (spec.Text("signerName") is ClientSigner && ServingAuthority.Organizations(Pem(spec)).Contains("system:masters", StringComparer.Ordinal))
        {
            errors.Add(FieldError.Forbidden(
                "spec.request", $"use of {ClientSigner} signer with system:masters group is not allowed"));
        }
    }

    /// <summary>Completes an approval or a refusal, and issues the certificate.</summary>
    public void Decide(ApiRequest request, JsonObject old, JsonObject tree)
    {
        var spec = tree["spec"] as JsonObject ?? [];
        var signer = spec.Text("signerName") ?? "";
        var question = new AccessQuestion(request.User, "approve") { Group = request.Resource.Group, Resource = "signers", Name = signer };
        if (!services.Rights.Allows(question)
            && !services.Rights.Allows(question with { Name = signer.Split('/')[0] + "/*" }))
        {
            throw ApiException.Forbidden(
                request.Resource, request.Name!, $"user not permitted to approve requests with signerName \"{signer}\"");
        }

        var now = JsonText.Timestamp(services.Clock.GetUtcNow());
        var status = tree.Child("status");
        var conditions = status["conditions"].Items().ToList();
        foreach (var condition in conditions)
        {
            condition["lastUpdateTime"] ??= now;
            condition["lastTransitionTime"] ??= now;
        }

        foreach (var type in old.At("status", "conditions").Items().Select(item => item.Text("type")))
        {
            if (!conditions.Exists(item => item.Text("type") == type))
            {
                throw ApiException.Invalid(request.Resource, request.Name!, [FieldError.Forbidden(
                    "status.conditions", $"updates may not remove a condition of type \"{type}\"")]);
            }
        }

        if (conditions.Exists(item => item.Text("type") is "Approved") && signer is ClientSigner && status["certificate"] is null)
        {
            var life = TimeSpan.FromSeconds(spec.Number("expirationSeconds") ?? DefaultSeconds);
            status["certificate"] = Convert.ToBase64String(Encoding.ASCII.GetBytes(services.Authority.SignClient(Pem(spec), life)));
        }
    }

    private static string Pem(JsonObject spec)
    {
        var bytes = new byte[spec.Text("request")?.Length ?? 0];
        return Convert.TryFromBase64String(spec.Text("request") ?? "", bytes, out var count) ? Encoding.ASCII.GetString(bytes, 0, count) : "";
    }
}
