/// The values that an expression of a model is evaluated with: what a caller set, and what the model declares.
module internal DiffEqLang.Compiler.DeclaredValues

open System.Collections.Generic
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Dim
open DiffEqLang.Compiler.Ir.Expr

/// Values of the reference interpreter, from what a caller set and what the model declares.
type DeclaredValues(model: Typed.Model, settings: IReadOnlyDictionary<string, struct (int64[] * float[])>) =
    let dims =
        model.Dims
        |> List.choose (fun d ->
            match d.Value, settings.TryGetValue d.Name with
            | Some n, _ -> Some(d.Name, n)
            | None, (true, struct (_, [| n |])) -> Some(d.Name, int64 n)
            | None, _ -> None)
        |> Map.ofList

    let shapeOf (s: Symbol) = s.Shape |> List.map (fun d -> int (Dim.evaluate dims d)) |> List.toArray

    let given (s: Symbol) =
        match settings.TryGetValue s.Name with
        | true, struct (shape, values) when shape.Length = 0 && values.Length = 1 ->
            Some(Tensor.filled (shapeOf s) values[0])
        | true, struct (shape, values) when Array.map int shape = shapeOf s ->
            Some(Tensor.ofArray (shapeOf s) values)
        | true, struct (shape, _) ->
            invalidArg
                s.Name
                (sprintf
                    "%s is %s, the value given has the shape [%s]"
                    s.Name
                    (Shape.print s.Shape)
                    (shape |> Array.map string |> String.concat ", "))
        | _ -> None

    let known = Dictionary<string, Tensor.Tensor>()

    member _.Dims = dims

    member this.Of(symbol: Symbol) : Tensor.Tensor =
        match known.TryGetValue symbol.Name with
        | true, value -> value
        | _ ->
            let value = given symbol |> Option.defaultWith (fun () -> this.Declared symbol)
            known[symbol.Name] <- value
            value

    /// The value of a number, where what is declared determines it: by no random parameter and no open dim.
    member this.TryNumber(e: Expr) : float option =
        if model.Dims |> List.forall _.Value.IsSome && this.Determines e then
            Some ((this.Run e): Tensor.Tensor).Data[0]
        else
            None

    member private this.Determines(e: Expr) : bool =
        Expr.inputs [ e ]
        |> List.forall (fun symbol ->
            match this.DeclarationOf symbol with
            | Some value -> this.Determines value
            | None -> false)

    member private _.DeclarationOf(symbol: Symbol) : Expr option =
        let parameter = model.Parameters |> List.tryFind (fun p -> p.Symbol = symbol)
        let constant = model.Constants |> List.tryFind (fun c -> c.Symbol = symbol)

        match parameter, constant with
        | Some { Initializer = Typed.Value e }, _ -> Some e
        | _, Some c -> Some c.Value
        | _, None -> None

    member private this.Run(e: Expr) = Evaluate.run this.Of dims [ e ] |> List.head

    member private this.Filled (s: Symbol) (e: Expr) = this.Run(Build.broadcastTo s.Shape e)

    member private this.Declared(s: Symbol) : Tensor.Tensor =
        let missing what = invalidArg s.Name (sprintf "%s has no value: set it (%s)" s.Name what)

        match s.Role with
        | Parameter ->
            match (model.Parameters |> List.find (fun p -> p.Symbol = s)).Initializer with
            | Typed.Value e -> this.Filled s e
            | Typed.Normal _
            | Typed.Uniform _
            | Typed.XavierUniform
            | Typed.XavierNormal
            | Typed.KaimingUniform
            | Typed.KaimingNormal
            | Typed.Orthogonal
            | Typed.LinearDefault _ -> missing "a random parameter"
        | Constant ->
            match model.Constants |> List.tryFind (fun c -> c.Symbol = s) with
            | Some c -> this.Filled s c.Value
            | None -> missing "a constant"
        | State ->
            match model.Initials |> List.tryFind (fun (initial, _) -> initial.Name = s.Name) with
            | Some(_, e) -> this.Filled s e
            | None -> missing "a state without init"
        | Time -> Tensor.scalar (model.Solve.Start |> Option.defaultValue 0.0)
        | Delayed
        | Control
        | Increment
        | Sample
        | Step
        | Cotangent
        | Tangent -> missing "an external signal"
