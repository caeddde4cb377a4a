// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.Json.Nodes;
using Weft.Compiler;
using Weft.Control.Registry;
using Weft.Dialects;
using Weft.Kubernetes;
using Weft.Model.Intent;
using Weft.Model.World;

namespace Weft.Control.Sources;

/// <summary>What operators want and what exists, kept from the changes of the API. Used by one thread, but for the table.</summary>
public sealed class MeshState
{
    private readonly SortedDictionary<ObjectKey, MeshIntent> _intents = new(KeyOrder);
    private MeshSnapshot? _snapshot;
    private bool _isCurrent;
    private long _read;

    public MeshState(MeshSettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        Registry = new WorldRegistry(settings);
        Objects = new ObjectTable(new ParseOptions(DomainSuffix: settings.DomainSuffix, ClusterName: settings.ClusterName));
    }

    /// <summary>Every object with what is wrong with it.</summary>
    public ObjectTable Objects { get; }

    public WorldRegistry Registry { get; }

    /// <summary>The number of the last snapshot taken.</summary>
    public long Number { get; private set; }

    /// <summary>What operators want, by the kind of intent.</summary>
    public IReadOnlyCollection<MeshIntent> Intents => _intents.Values;

    /// <summary>Takes in a change; true if anything that a plan could depend on is different.</summary>
    public bool Apply(ResourceKind kind, Change change)
    {
        ArgumentNullException.ThrowIfNull(kind);
        ArgumentNullException.ThrowIfNull(change);
        var key = ObjectKey.Of(kind, change.Object);
        var (before, now) = change.Type == ChangeType.Deleted || HasEnded(kind, change.Object)
            ? (Objects.Remove(key), ParsedContent.Nothing)
            : Objects.Apply(key, change.Object, change.Object.ResourceVersion());
        return Take(key, before, now);
    }

    /// <summary>Takes in an object that has been read already, as a version of its own.</summary>
    public bool Apply(ObjectKey key, ParsedObject parsed)
    {
        ArgumentNullException.ThrowIfNull(parsed);
        var (before, now) = Objects.Apply(key, parsed, (++_read).ToString(CultureInfo.InvariantCulture));
        return Take(key, before, now);
    }

    /// <summary>Both inputs of the compiler at one moment, indexed; the same object until something changes.</summary>
    public MeshSnapshot Snapshot()
    {
        if (_isCurrent)
        {
            return _snapshot!;
        }

        _snapshot = MeshSnapshot.Create(Registry.Build(), _intents.Values, _snapshot);
        _isCurrent = true;
        Number++;
        return _snapshot;
    }

    /// <summary>So that equal meshes make equal plans, in whatever order their objects came.</summary>
    private static Comparer<ObjectKey> KeyOrder { get; } = Comparer<ObjectKey>.Create(static (a, b) =>
        string.CompareOrdinal(a.Kind, b.Kind) is not 0 and var kind ? kind
        : string.CompareOrdinal(a.Namespace, b.Namespace) is not 0 and var ns ? ns
        : string.CompareOrdinal(a.Name, b.Name) is not 0 and var name ? name
        : string.CompareOrdinal(a.Group, b.Group));

    private static bool HasEnded(ResourceKind kind, JsonObject item) =>
        kind == Kinds.Pod && item.Text("status", "phase") is "Succeeded" or "Failed";

    private bool Take(ObjectKey key, ParsedContent before, ParsedContent now)
    {
        if (before == now)
        {
            return false;
        }

        _isCurrent = false;
        if (now.Intent is not null)
        {
            _intents[key] = now.Intent;
        }
        else
        {
            _intents.Remove(key);
        }

        if (before.Service != now.Service)
        {
            Registry.SetService(key.Namespace, key.Name, now.Service);
        }

        if (before.Workload != now.Workload)
        {
            Registry.SetWorkload(key.Namespace, key.Name, now.Workload);
        }

        if (before.Mesh != now.Mesh)
        {
            Registry.SetMesh(now.Mesh);
        }

        if (before.Entry != now.Entry)
        {
            Registry.SetEntry(key.Namespace, key.Name, now.Entry);
        }

        if (before.Outsider != now.Outsider)
        {
            Registry.SetOutsider(key.Namespace, key.Name, now.Outsider);
        }

        if (before.Credential != now.Credential)
        {
            Registry.SetCredential(key.Namespace, key.Name, now.Credential);
        }

        if (before.Node != now.Node)
        {
            Registry.SetNode(key.Name, now.Node?.Locality);
        }

        if (before.Slice != now.Slice)
        {
            Registry.SetSlice(key.Namespace, key.Name, now.Slice);
        }

        return true;
    }
}
