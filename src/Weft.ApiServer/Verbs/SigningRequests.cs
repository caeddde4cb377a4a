// SPDX-License-Identifier: Apache-2.0

using System.Text;
using System.Text.Json.Nodes;
using Weft.ApiServer.Http;
using Weft.ApiServer.Security;
using Weft.ApiServer.Validation;

namespace Weft.ApiServer.Verbs;

/// <summary>Certificate signing requests: who asks is noted, an approval is a right of its own, approved clients are signed at once.</summary>
internal sealed class SigningRequests(ApiServices services)
{
    public const string Resource = "certificatesigningrequests.certificates.k8s.io";
    public const string ClientSigner = "kubernetes.io/kube-apiserver-client";
    public const string NodeSigner = "kubernetes.io/kube-apiserver-client-kubelet";

    private const string NodePrefix = "system:node:";

    private const long DefaultSeconds = 365 * 24 * 3600;
    private const long ShortestSeconds = 600;

    private readonly BootstrapTokens _tokens = new(services.Store, services.Clock);

    /// <summary>The server, not the client, says who asks. A machine that shows a token, or a node that renews, is signed without anybody's approval.</summary>
    public void Begin(ApiRequest request, JsonObject tree)
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

        if (spec.Text("signerName") is NodeSigner && !request.IsDryRun && ServingAuthority.ReadRequest(Pem(spec)) is not null && MayBecome(request, ServingAuthority.CommonName(Pem(spec)), spec))
        {
            var now = JsonText.Timestamp(services.Clock.GetUtcNow());
            var status = tree.Child("status");
            status["conditions"] = new JsonArray(new JsonObject
            {
                ["type"] = "Approved",
                ["status"] = "True",
                ["reason"] = "AutoApproved",
                ["message"] = "Auto approving kubelet client certificate after SubjectAccessReview.",
                ["lastUpdateTime"] = now,
                ["lastTransitionTime"] = now,
            });
            Sign(spec, status);
        }
    }

    /// <summary>Whether who asks is the node already, or shows a token, which is used up then, and takes no other node's name.</summary>
    private bool MayBecome(ApiRequest request, string name, JsonObject spec)
    {
        if (!name.StartsWith(NodePrefix, StringComparison.Ordinal) || !ServingAuthority.Organizations(Pem(spec)).SequenceEqual([NodeRights.Group]))
        {
            return false;
        }

        if (request.User.Name == name)
        {
            return true;
        }

        var node = name[NodePrefix.Length..];
        if (!request.User.Groups.Contains(BootstrapTokens.Group, StringComparer.Ordinal) || NameText.DnsSubdomain(node).Any())
        {
            return false;
        }

        return services.Store.Find("nodes", "", node) is null
            ? _tokens.TryUse(request.User)
            : throw ApiException.Forbidden(
                request.Resource, node, $"there is a node \"{node}\" already; choose another name, or delete that node first");
    }

    private void Sign(JsonObject spec, JsonObject status)
    {
        var life = TimeSpan.FromSeconds(Math.Min(spec.Number("expirationSeconds") ?? DefaultSeconds, DefaultSeconds));
        status["certificate"] = Convert.ToBase64String(Encoding.ASCII.GetBytes(services.Authority.SignClient(Pem(spec), life)));
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
            Sign(spec, status);
        }
    }

    private static string Pem(JsonObject spec)
    {
        var bytes = new byte[spec.Text("request")?.Length ?? 0];
        return Convert.TryFromBase64String(spec.Text("request") ?? "", bytes, out var count) ? Encoding.ASCII.GetString(bytes, 0, count) : "";
    }
}
