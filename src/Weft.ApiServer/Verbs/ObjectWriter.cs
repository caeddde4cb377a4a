// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.ApiServer.Custom;
using Weft.ApiServer.Admission;
using Weft.ApiServer.Defaults;
using Weft.ApiServer.Http;
using Weft.ApiServer.Patching;
using Weft.ApiServer.Resources;
using Weft.ApiServer.Security;
using Weft.ApiServer.Storage;
using Weft.ApiServer.Validation;
using Weft.Model.Diagnostics;

namespace Weft.ApiServer.Verbs;

/// <summary>Turns what clients send into what is stored: decode, default, admit, validate, write.</summary>
internal sealed class ObjectWriter(ApiServices services)
{
    private readonly Lock _serviceGate = new();
    private readonly FieldOwnership _ownership = new(services.Schemas, services.Clock);
    private readonly SigningRequests _signing = new(services);
    private readonly Priorities _priorities = new(services.Store);
    private readonly LimitRanges _limits = new(services.Store);
    private readonly Quotas _quotas = new(services.Store);
    private readonly Lock _quotaGate = new();
    private readonly RightsGuard _guard = new(services.Rights, services.Catalog);

    public Webhooks Webhooks { get; } = new(services);

    /// <summary>Creates the object; in a dry run it does everything but store.</summary>
    public JsonObject Create(ApiRequest request, JsonObject tree)
    {
        var resource = request.Resource;
        if (resource.Terminating)
        {
            throw new ApiException(
                405, "MethodNotAllowed", "create not allowed while custom resource definition is terminating", new JsonObject());
        }

        var metadata = tree.Child("metadata");
        SystemFields.FixNamespace(request, metadata);
        var ns = resource.Namespaced ? RequireNamespace(request, metadata) : null;
        SystemFields.NameIt(resource, metadata);
        SystemFields.Begin(resource, tree, metadata, services.Clock.GetUtcNow());
        if (resource.GroupResource is "pods" && ns is not null)
        {
            tree = services.Hooks.MutatePod(tree, ns, Stored());
            _priorities.Apply(request, tree);
        }

        if (resource.GroupResource is "secrets")
        {
            AccountSecrets.Fill(services, request, tree);
        }

        if (resource.GroupResource is SigningRequests.Resource)
        {
            _signing.Begin(request, tree);
        }

        ObjectDefaults.Apply(resource, tree);
        if (_limits.Apply(request, tree))
        {
            // The class of service follows from requests and limits.
            tree.Child("status").Remove("qosClass");
            ObjectDefaults.Apply(resource, tree);
        }

        tree = Admitted(request, Webhooks.Create, null, tree);
        if (resource.GroupResource is not "services")
        {
            return Finish(request, tree) ?? throw ApiException.AlreadyExists(resource, tree.At("metadata", "name").Text()!);
        }

        return CreateService(request, tree);
    }

    /// <summary>What is taken is read before an address is chosen; if another server chose one meanwhile, both are done again.</summary>
    private JsonObject CreateService(ApiRequest request, JsonObject tree)
    {
        for (var attempt = 0; attempt < ApiLimits.PatchAttempts; attempt++)
        {
            lock (_serviceGate)
            {
                var service = tree.DeepClone().AsObject();
                var looked = services.Store.Version;
                services.Addresses.Allocate(service, null);
                if (Finish(request, service, looked) is { } made)
                {
                    return made;
                }
            }
        }

        throw ApiException.Unavailable("other servers are creating services at the same moment");
    }

    /// <summary>Replaces <paramref name="current"/>; null when somebody else was faster.</summary>
    public JsonObject? Replace(ApiRequest request, StoredObject current, JsonObject tree)
    {
        var resource = request.Resource;
        var old = current.Parse();
        var metadata = tree.Child("metadata");
        SystemFields.CheckIdentity(request, old, metadata);
        SystemFields.KeepSystemFields(old, metadata);
        if (!request.IsApply && metadata["managedFields"] is null && old.At("metadata", "managedFields") is { } owners)
        {
            metadata["managedFields"] = owners.DeepClone();
        }

        SystemFields.KeepOtherHalf(request, old, tree);
        if (request.Subresource is "approval")
        {
            _signing.Decide(request, old, tree);
        }

        tree["apiVersion"] = resource.StorageApiVersion;
        tree["kind"] = resource.Kind;
        ObjectDefaults.Apply(resource, tree);
        tree = Admitted(request, Webhooks.Update, old, tree);
        if (resource.GroupResource is not "services" || request.Subresource is not null)
        {
            return FinishReplace(request, current, old, tree);
        }

        lock (_serviceGate)
        {
            var looked = services.Store.Version;
            services.Addresses.Allocate(tree, old);
            return FinishReplace(request, current, old, tree, looked);
        }
    }

    /// <summary>What the webhooks make of the object; they are asked before the gate, since they may come back with questions.</summary>
    private JsonObject Admitted(ApiRequest request, string operation, JsonObject? old, JsonObject tree)
    {
        var changed = Webhooks.Mutate(request, operation, old, tree);
        if (!ReferenceEquals(changed, tree))
        {
            ObjectDefaults.Apply(request.Resource, changed);
        }

        Webhooks.Validate(request, operation, old, changed);
        return changed;
    }

    /// <summary>Null when the object was stored by somebody else meanwhile, or one of its kind was written since <paramref name="looked"/>.</summary>
    private JsonObject? Finish(ApiRequest request, JsonObject tree, long looked = long.MaxValue)
    {
        var resource = request.Resource;
        Refuse(request, tree, Problems(request, tree, null));
        _guard.Check(request, tree, null);
        NodeRights.CheckCreated(request, tree);
        Admit(request, tree);
        if (!request.IsApply)
        {
            tree["metadata"]!.AsObject().Remove("managedFields");
            _ownership.Note(request, null, tree);
        }

        var name = tree.At("metadata", "name").Text()!;
        if (services.Store.Find(resource.StoredAs, request.Namespace, name) is not null)
        {
            throw ApiException.AlreadyExists(resource, name);
        }

        if (!_quotas.Any(request.Namespace))
        {
            return Store(request, tree, name, looked);
        }

        lock (_quotaGate)
        {
            _quotas.Check(request, tree);
            return Store(request, tree, name, looked);
        }
    }

    private JsonObject? Store(ApiRequest request, JsonObject tree, string name, long looked)
    {
        var resource = request.Resource;
        if (request.IsDryRun)
        {
            return tree;
        }

        if (services.Store.TryCreate(resource.StoredAs, tree, looked) is not { } written)
        {
            return null;
        }

        if (resource.GroupResource is "namespaces")
        {
            services.Namespaces.Furnish(name);
        }

        FollowDefinitions(resource);
        return written.Parse();
    }

    private JsonObject? FinishReplace(
        ApiRequest request, StoredObject current, JsonObject old, JsonObject tree, long looked = long.MaxValue)
    {
        var resource = request.Resource;
        SystemFields.CountGeneration(resource, old, tree);
        Refuse(request, tree, Problems(request, tree, old));
        if (JsonNode.DeepEquals(old, tree))
        {
            return old;
        }

        if (request.Subresource is not ("status" or "approval"))
        {
            _guard.Check(request, tree, old);
            Admit(request, tree);
        }

        if (!request.IsApply)
        {
            _ownership.Note(request, old, tree);
        }

        if (request.IsDryRun)
        {
            return tree;
        }

        if (current.Deleting && tree.At("metadata", "finalizers") is null && Deletion.MayVanish(resource, tree))
        {
            return services.Store.TryRemove(current) is null ? null : tree;
        }

        var replaced = services.Store.TryReplace(resource.StoredAs, tree, current.Version, looked)?.Parse();
        FollowDefinitions(resource);
        return replaced;
    }

    /// <summary>A kind is served as soon as the answer to its definition is on its way.</summary>
    private void FollowDefinitions(ResourceDefinition resource)
    {
        if (resource.GroupResource is CustomKinds.Resource)
        {
            services.Kinds.Refresh();
        }
    }

    private static List<FieldError> Problems(ApiRequest request, JsonObject tree, JsonObject? old)
    {
        var errors = request.Subresource is "status" or "approval" ? []
            : request.Subresource is "ephemeralcontainers" ? DebugContainerRules.Check(tree, old).ToList()
            : Rules.Check(request.Resource, tree, old).ToList();
        if (errors.Count == 0 && request.Subresource is null && request.Resource.GroupResource is CustomKinds.Resource)
        {
            request.Warn(DefinitionRules.Warnings(tree));
        }

        if (CustomObjects.VersionOf(request.Resource, request.Version) is { } version)
        {
            errors.AddRange(CustomObjects.Check(version, tree, old));
        }

        return errors;
    }

    private JsonObject RequireNamespace(ApiRequest request, JsonObject metadata)
    {
        var definition = services.Catalog.Get("namespaces");
        var found = services.Store.Find("namespaces", "", request.Namespace)
            ?? throw ApiException.NotFound(definition, request.Namespace);
        if (found.Deleting)
        {
            throw ApiException.Forbidden(
                request.Resource,
                metadata.Text("name") ?? metadata.Text("generateName") ?? "",
                $"unable to create new content in namespace {request.Namespace} because it is being terminated");
        }

        return found.Parse();
    }

    private void Admit(ApiRequest request, JsonObject tree)
    {
        var findings = services.Hooks.Validate(tree);
        var errors = findings.Where(finding => finding.Severity == Severity.Error).Select(Say).ToList();
        if (errors.Count > 0)
        {
            throw ApiException.BadRequest(
                $"admission webhook \"validation.weft\" denied the request: {string.Join("; ", errors)}");
        }

        request.Warn(findings.Where(finding => finding.Severity == Severity.Warning).Select(Say));
        if (request.Subresource is null)
        {
            request.Warn(services.Hooks.Consider(tree, Stored()).Select(Say));
        }
    }

    private static string Say(Diagnostic finding)
    {
        var place = finding.Origin.Path.Length == 0 ? "" : finding.Origin.Path + ": ";
        var cure = finding.Cure is null ? "" : "; " + finding.Cure;
        return $"{place}{finding.Fact} ({finding.Id}){cure}";
    }

    private static void Refuse(ApiRequest request, JsonObject tree, List<FieldError> errors)
    {
        if (errors.Count > 0)
        {
            throw ApiException.Invalid(request.Resource, tree.At("metadata", "name").Text() ?? "", errors);
        }
    }

    private StoredObjects Stored() => new(
        (resource, ns, name) => services.Store.Find(resource, ns, name)?.Parse(),
        (resource, ns) => services.Store.Snapshot(resource).Objects.Where(pair => pair.Key.Namespace == ns).Select(pair => pair.Value.Parse()));
}
