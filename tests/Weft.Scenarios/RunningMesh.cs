// SPDX-License-Identifier: Apache-2.0

namespace Weft.Scenarios;

/// <summary>The scenarios that share one mesh; they run one after another.</summary>
[CollectionDefinition(Name)]
public sealed class RunningMesh : ICollectionFixture<TestMesh>
{
    public const string Name = "a running mesh";
}
