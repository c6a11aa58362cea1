/// C# names for a model's names: letters that C# does not take are spelled out, keywords are escaped, and what the
/// generated class inherits or calls keeps its meaning. A model that names its state `class`, `Solve` or `stack`
/// compiles.
module internal DiffEqLang.Compiler.Backends.CSharp.Names

open System
open System.Collections.Generic
open DiffEqLang.Compiler.Passes

/// C# 14, reserved and contextual where a name in their place could be misread.
let private keywords =
    "abstract as base bool break byte case catch char checked class const continue decimal default delegate do
     double else enum event explicit extern false finally fixed float for foreach goto if implicit in int interface
     internal is lock long namespace new null object operator out override params private protected public readonly
     ref return sbyte sealed short sizeof stackalloc static string struct switch this throw true try typeof uint
     ulong unchecked unsafe ushort using virtual void volatile while
     await var dynamic nameof field value when where with and or not record required scoped file global partial yield"
        .Split([| ' '; '\n' |], StringSplitOptions.RemoveEmptyEntries)
    |> set

let isKeyword name = Set.contains name keywords

/// `@class` for a name that C# would take for a keyword.
let escaped name = if isKeyword name then "@" + name else name

/// Names of `DifferentialModel`, its bases and `nn.Module` that a member of a generated class would hide. Held
/// against the runtime by a test.
let inheritedByModels =
    "Adjoint AddConstant AddParameter Bind BindSimd Calculus ClearModules ConditionallyRegisterBuffer
     ConditionallyRegisterParameter CorrelationFactor Create Defaults Device Dispose Drift Dtype Engines Equals Finalize
     GetDefaultDeviceAndType GetHashCode GetName GetType HType InitialState Layout Load MemberwiseClone MoveModule ReferenceEquals Noise
     NoiseSize Output OutputNames ParameterNames RegisterComponents ReplaceBuffer ReplaceParameter Save SetConstant
     SetValue Solve SolvePacked ToString Value add_module apply boxedModule BoxedModule buffers children eval
     get_buffer get_parameter handle has_buffer has_parameter load load_state_dict modules name named_buffers
     named_children named_modules named_parameters parameters register_buffer register_module register_p_and_b
     register_parameter save save_state_dict state_dict to train training type zero_grad
     ConstantNames DeclaredInitialState"
        .Split([| ' '; '\n' |], StringSplitOptions.RemoveEmptyEntries)

/// Names that every generated class declares itself.
let declaredByModels =
    [ "States"
      "Increments"
      "SolveBlock"
      "Tableau"
      "OnCreated"
      "Trajectory"
      "Equations"
      "LoadNativeLibraries"
      "Kernel"
      "Kernel512"
      "Jacobian"
      "JacobianRows"
      "JacobianColumns"
      "JacobianValues" ]

/// Names of `Solution` that a member of `Trajectory` would hide. Held against the runtime by a test.
let inheritedBySolutions =
    "Times Packed State Status Events EventTimes HasEvents Sensitivity InitialSensitivity Sensitivities OriginOf Succeeded Message EnsureSuccess Statistics Output Model Layout Equals Finalize
     GetHashCode GetType LastState LastTime MemberwiseClone MethodChanges OutputOf ReferenceEquals ToString"
        .Split([| ' '; '\n' |], StringSplitOptions.RemoveEmptyEntries)

/// Names of `OdeEquations` and `SdeEquations`.
let inheritedByEquations =
    "Parameters Positions Velocities Algebraic JacobianPattern SparsityOfJacobian Drift DriftVjp DriftJacobian DriftTimeDerivative JacobianVjp TimeDerivativeVjp Diffusion
     DiffusionVjp Milstein MilsteinVjp ItoCorrection ItoCorrectionVjp Events EventValues EventValuesVjp EventRates
     Jump JumpVjp JumpRate Delays History HistoryRate HistoryVjp Equals Finalize GetHashCode GetType MemberwiseClone ReferenceEquals ToString"
        .Split([| ' '; '\n' |], StringSplitOptions.RemoveEmptyEntries)

/// Names of the methods that equations with so many events declare for each.
let declaredByEvents (count: int) =
    Seq.init count (fun i -> [ sprintf "Jump%d" i; sprintf "Jump%dVjp" i; sprintf "JumpRate%d" i ])
    |> Seq.concat

/// Functions, types and parameters that the bodies of generated methods refer to by a simple name: no local
/// variable and no member may take their place.
let usedInBodies =
    "torch Tensor Scalar ScalarType Device Initial ParameterRandom Interval Methods Scalars Sums Pullback Pointwise EventSpec Delay linear stack cat where einsum
     zeros_like ones_like full_like full eye maximum minimum logical_and logical_or tensor zeros ones erf atan2
     functional linalg nn special no_grad pow pad double long random InvalidOperationException ArgumentException"
        .Split([| ' '; '\n' |], StringSplitOptions.RemoveEmptyEntries)

let private isIdentifierPart (c: char) =
    Char.IsLetterOrDigit c
    || Char.IsSurrogate c
    || Char.GetUnicodeCategory c = Globalization.UnicodeCategory.NonSpacingMark

/// Letters, digits and underscores alone: `q'` is `dq`, `q''` is `d2q`, `f.W1` is `f_W1`.
let identifier (name: string) =
    let primes = name.Length - name.TrimEnd('\'').Length

    let stem = name.TrimEnd '\'' |> String.map (fun c -> if isIdentifierPart c then c else '_')

    let stem = if stem <> "" && Char.IsDigit stem[0] then "_" + stem else stem

    match primes with
    | 0 -> stem
    | 1 -> "d" + stem
    | n -> sprintf "d%d%s" n stem

/// Names handed out for one C# scope.
type Scope(taken: string seq) =
    let unique = Naming.Unique taken
    let handedOut = HashSet<string>(taken, StringComparer.Ordinal)

    /// A name as near to `wanted` as the scope allows: itself, else with an underscore, else numbered.
    member _.Fresh(wanted: string) =
        let stem = identifier wanted
        let clashes = handedOut.Contains stem
        let name = unique.Fresh(if clashes then stem + "_" else stem)
        handedOut.Add name |> ignore
        escaped name

    /// Every name taken so far, without escapes.
    member _.Taken: string seq = handedOut
